//go:build linux

package sidecar_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/registry"
)

// dataPrograms are what people have models write about data. The value of each is what
// comes back.
var dataPrograms = []struct {
	name, code string
	want       any
}{
	{"groups rows", `
import pandas as pd
df = pd.DataFrame({'city': ['NYC', 'LA', 'NYC', 'LA'], 'sales': [10, 20, 30, 5]})
df.groupby('city')['sales'].sum().sort_index().to_dict()`,
		map[string]any{"LA": int64(25), "NYC": int64(40)}},
	{"gives a frame as records", `
import pandas as pd
df = pd.DataFrame({'city': ['NYC', 'LA', 'NYC'], 'sales': [10, 20, 30], 'share': [0.5, 1.0, 0.25]})
df[df.sales > 10]`,
		[]any{
			map[string]any{"city": "LA", "sales": int64(20), "share": 1.0},
			map[string]any{"city": "NYC", "sales": int64(30), "share": 0.25},
		}},
	{"pivots", `
import pandas as pd
df = pd.DataFrame({'day': ['mon', 'mon', 'tue'], 'kind': ['a', 'b', 'a'], 'n': [1, 2, 3]})
df.pivot_table(index='day', columns='kind', values='n', aggfunc='sum', fill_value=0).reset_index()`,
		[]any{
			map[string]any{"day": "mon", "a": int64(1), "b": int64(2)},
			map[string]any{"day": "tue", "a": int64(3), "b": int64(0)},
		}},
	{"joins", `
import pandas as pd
a = pd.DataFrame({'id': [1, 2, 3], 'name': ['x', 'y', 'z']})
b = pd.DataFrame({'id': [2, 3, 4], 'price': [20, 30, 40]})
a.merge(b, on='id', how='inner')[['name', 'price']].values.tolist()`,
		[]any{[]any{"y", int64(20)}, []any{"z", int64(30)}}},
	{"fits a line", `
import numpy as np
x = np.arange(100.0)
a = np.vstack([x, np.ones(len(x))]).T
slope, offset = np.linalg.lstsq(a, 3 * x + 7, rcond=None)[0]
[round(slope, 6), round(offset, 6)]`,
		[]any{3.0, 7.0}},
	{"multiplies large matrices on its threads", `
import numpy as np
a = np.ones((400, 400))
float((a @ a).sum())`,
		400.0 * 400 * 400},
	{"draws random numbers that can be repeated", `
import numpy as np
first, second = (np.random.default_rng(7).normal(size=1000).mean() for _ in range(2))
bool(first == second and abs(first) < 0.2)`,
		true},
	{"writes and reads CSV", `
import pandas as pd
pd.DataFrame({'a': [1, 2], 'b': ['x', 'y,z']}).to_csv('t.csv', index=False)
pd.read_csv('t.csv')`,
		[]any{map[string]any{"a": int64(1), "b": "x"}, map[string]any{"a": int64(2), "b": "y,z"}}},
	{"writes and reads JSON", `
import json, pandas as pd
pd.DataFrame({'a': [1.5, 2.5]}).to_json('t.json', orient='records')
[json.load(open('t.json')), pd.read_json('t.json')['a'].sum()]`,
		[]any{[]any{map[string]any{"a": 1.5}, map[string]any{"a": 2.5}}, 4.0}},
	{"saves and loads arrays", `
import numpy as np
np.save('a.npy', np.arange(6).reshape(2, 3))
np.load('a.npy', mmap_mode='r').sum(axis=1)`,
		[]any{int64(3), int64(12)}},
	{"reckons with dates", `
import pandas as pd
s = pd.Series([1, 2, 3, 4], index=pd.date_range('2024-02-28', periods=4, freq='D'))
[s.resample('MS').sum().tolist(), str((s.index[3] - s.index[0]).days), s.index.day_name().tolist()[1]]`,
		[]any{[]any{int64(3), int64(7)}, "3", "Thursday"}},
	{"gives numpy's scalars and arrays", `
import numpy as np
{'int': np.int64(5), 'float': np.float32(0.5), 'bool': np.bool_(True), 'array': np.array([[1, 2], [3, 4]]), 'text': np.str_('x')}`,
		map[string]any{"int": int64(5), "float": 0.5, "bool": true, "text": "x",
			"array": []any{[]any{int64(1), int64(2)}, []any{int64(3), int64(4)}}}},
	{"gives missing values", `
import numpy as np, pandas as pd
[pd.NA, pd.NaT, pd.Series([1, None], dtype='Int64').tolist()]`,
		[]any{nil, nil, []any{int64(1), nil}}},
	{"keeps a table in SQLite", `
import sqlite3
with sqlite3.connect('t.db') as db:
    db.execute('create table t (a, b)')
    db.executemany('insert into t values (?, ?)', [(i, i * i) for i in range(100)])
with sqlite3.connect('t.db') as db:
    total = db.execute('select sum(b) from t where a < 10').fetchone()[0]
total`,
		int64(285)},
	{"compresses and archives", `
import gzip, io, tarfile, zipfile
with zipfile.ZipFile('t.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('a.txt', 'x' * 1000)
with gzip.open('t.gz', 'wt') as g:
    g.write('hello')
with tarfile.open('t.tar.gz', 'w:gz') as t:
    t.add('t.zip')
[len(zipfile.ZipFile('t.zip').read('a.txt')), gzip.open('t.gz', 'rt').read(), tarfile.open('t.tar.gz').getnames()]`,
		[]any{int64(1000), "hello", []any{"t.zip"}}},
	{"works on many threads", `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    total = sum(pool.map(lambda n: n * n, range(100)))
total`,
		int64(328350)},
}

// The programs that people have models write about data run unchanged under every layer.
func TestUsualDataProgramsRun(t *testing.T) {
	besideOthers(t)
	e := start(t, func(c *config.SidecarConfig) { c.Limits.Memory = 1 << 30 })
	libraries := requireData(t, e)
	for _, test := range dataPrograms {
		t.Run(test.name, func(t *testing.T) {
			if libraries != "" && (strings.Contains(test.code, "numpy") || strings.Contains(test.code, "pandas")) {
				t.Skip(libraries)
			}
			got := e.run(t, test.code)
			if got.Status != executorclient.OK {
				t.Fatalf("%s: %+v\n%s", got.Status, got.Error, got.Stderr)
			}
			if diff := cmp.Diff(test.want, got.Value); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// withData has an executor run on the interpreter of the system if only that one has numpy
// and pandas.
func withData(t *testing.T) func(*config.SidecarConfig) {
	t.Helper()
	const system = "/usr/bin/python3"
	if os.Getenv(pythonVariable) == "" && exec.CommandContext(t.Context(), system, "-I", "-c", "import numpy, pandas").Run() == nil {
		return func(c *config.SidecarConfig) { c.Python = system }
	}
	return func(*config.SidecarConfig) {}
}

// requireData says what the interpreter lacks for programs about data, if anything.
func requireData(t *testing.T, e *executor) string {
	t.Helper()
	got := e.run(t, "import numpy, pandas")
	if got.Status == executorclient.OK {
		return ""
	}
	if got.Error.Type != "ModuleNotFoundError" {
		t.Fatalf("numpy and pandas cannot be imported: %s %+v", got.Status, got.Error)
	}
	if os.Getenv(homeVariable) == "container" {
		t.Fatal("the image has an interpreter without numpy and pandas")
	}
	return "the interpreter has no numpy and pandas; install python3-pandas, or name one that has in " + pythonVariable
}

// What people have models write about data also leaves its files.
func TestDataProgramsLeaveFiles(t *testing.T) {
	besideOthers(t)
	e := withOutputs(t, func(c *config.SidecarConfig) { c.Limits.Memory = 1 << 30 })
	if why := requireData(t, e); why != "" {
		t.Skip(why)
	}
	got := e.run(t, `
import json, os, numpy as np, pandas as pd
df = pd.DataFrame({'city': ['NYC', 'LA', 'NYC'], 'sales': [10, 20, 30]})
df.groupby('city', as_index=False)['sales'].sum().to_csv('outputs/sums.csv', index=False)
x = np.arange(10.0)
(slope, offset), *_ = np.linalg.lstsq(np.vstack([x, np.ones(10)]).T, 3 * x + 7, rcond=None)
with open(os.environ['CODEMODE_OUTPUTS'] + '/fit.json', 'w') as f:
    json.dump({'slope': round(slope, 6), 'offset': round(offset, 6)}, f)
pd.read_csv('outputs/sums.csv')['sales'].tolist()`)
	if got.Status != executorclient.OK {
		t.Fatalf("%s %+v", got.Status, got.Error)
	}
	left := map[string]string{}
	for _, a := range got.Artifacts {
		left[a.Name] = string(a.Data) + a.Omitted
	}
	want := map[string]string{"sums.csv": "city,sales\nLA,20\nNYC,40\n", "fit.json": `{"slope": 3.0, "offset": 7.0}`}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Tools take numpy's and pandas' values for the plain ones that they stand for.
func TestToolsTakeArraysAndFrames(t *testing.T) {
	besideOthers(t)
	type row struct {
		City string `json:"city"`
		N    int    `json:"n"`
	}
	type input struct {
		Rows   []row     `json:"rows"`
		Vector []float64 `json:"vector"`
		Count  int       `json:"count"`
	}
	tools := registry.New()
	if err := registry.Func(tools, "total", "", func(_ context.Context, in input) (float64, error) {
		sum := float64(in.Count)
		for _, r := range in.Rows {
			sum += float64(r.N)
		}
		for _, v := range in.Vector {
			sum += v
		}
		return sum, nil
	}); err != nil {
		t.Fatal(err)
	}
	e := start(t, func(c *config.SidecarConfig) { c.Limits.Memory = 1 << 30 })
	if why := requireData(t, e); why != "" {
		t.Skip(why)
	}
	got := e.run(t, `
import numpy as np, pandas as pd
df = pd.DataFrame({'city': ['NYC', 'LA'], 'n': [1, 2]})
tools.total(rows=df, vector=np.array([0.5, 0.25]), count=np.int64(10))`, withTools(tools))
	if got.Value != 13.75 {
		t.Errorf("%v %+v", got.Value, got.Error)
	}
}
