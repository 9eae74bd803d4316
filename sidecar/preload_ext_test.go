//go:build linux

package sidecar_test

import (
	"os"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// A module that is preloaded was imported before the program's process came to be, and
// what programs do to it stays with them; random numbers do not repeat between programs.
func TestPreloadedModulesAreThereBeforeThePrograms(t *testing.T) {
	besideOthers(t)
	cfg := patient()
	cfg.Python = virtualEnvironment(t, map[string]string{
		"heavy": "import os, random\nmade_by = os.getpid()\ntouched = False\ngenerator = random.Random()\nos.register_at_fork(after_in_child=generator.seed)\n",
	})
	cfg.Pool.Preload = []string{"heavy", "xml.dom"}
	e, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	}()
	seen := map[any]bool{}
	for range 3 {
		got := e.run(t, `
import os, random, sys
there = 'heavy' in sys.modules and 'xml.dom' in sys.modules
import heavy
first, heavy.touched = not heavy.touched, True
[there and first and heavy.made_by != os.getpid(), random.random(), heavy.generator.random()]`)
		value, ok := got.Value.([]any)
		if !ok || value[0] != true {
			t.Fatalf("%v %+v", got.Value, got.Error)
		}
		for _, number := range value[1:] {
			if seen[number] {
				t.Errorf("%v was drawn before", number)
			}
			seen[number] = true
		}
	}
}

// A module that cannot be shared by forking is refused when the executor starts, with its
// name and what it did.
func TestModulesThatCannotBePreloadedAreRefused(t *testing.T) {
	besideOthers(t)
	cases := map[string]struct{ source, want string }{
		"raises":    {"raise ValueError('a line\\nand another')", "raises cannot be imported: ValueError: a line and another"},
		"leaves":    {"import sys\nsys.exit(3)", "leaves cannot be imported: SystemExit: 3"},
		"ends":      {"import os\nos._exit(3)", "ends ends the interpreter"},
		"threads":   {"import threading, time\nfor _ in range(2): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "threads starts threads: 2 run after its import"},
		"holds":     {"kept = open('/dev/null')", "holds holds 1 descriptors open: /dev/null"},
		"forks":     {"import os\nif os.fork() == 0: os._exit(0)", "forks starts processes"},
		"inchild":   {"import os, threading, time\nos.register_at_fork(after_in_child=lambda: threading.Thread(target=time.sleep, args=(60,), daemon=True).start())", "inchild starts threads"},
		"wellknown": {"import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()", ""},
	}
	sources := map[string]string{}
	for name, c := range cases {
		sources[name] = c.source
	}
	env := virtualEnvironment(t, sources)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { refuses(t, env, name, c.want) })
	}
	t.Run("missing", func(t *testing.T) {
		refuses(t, env, "no.such", "no.such cannot be imported: ModuleNotFoundError: No module named 'no'")
	})
}

func refuses(t *testing.T, env, module, want string) {
	t.Helper()
	cfg := patient()
	cfg.Python, cfg.Pool.Preload, cfg.Pool.MinReady = env, []string{module}, 0
	e, err := open(cfg)
	if err == nil {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	}
	switch {
	case want == "" && err != nil:
		t.Errorf("it was refused: %v", err)
	case want != "" && (fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want %s", err, want)
	}
}

// pandas that is preloaded is there at once, calculates, and repeats no random numbers.
func TestPandasIsPreloaded(t *testing.T) {
	besideOthers(t)
	data := withData(t)
	if why := requireData(t, start(t, data)); why != "" {
		if os.Getenv("CI") == "true" && os.Getenv(homeVariable) == "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	e := start(t, func(c *config.SidecarConfig) {
		data(c)
		c.Pool.Preload = []string{"numpy", "pandas"}
		c.Limits.Memory = 1 << 30
	})
	seen := map[any]bool{}
	for range 3 {
		got := e.run(t, `
import sys
there = 'pandas' in sys.modules
import numpy as np, pandas as pd
df = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6]})
[there, int(df['b'].sum()), float((np.ones((300, 300)) @ np.ones((300, 300))).sum()), np.random.random()]`)
		value, ok := got.Value.([]any)
		if got.Status != executorclient.OK || !ok || value[0] != true || value[1] != int64(15) || value[2] != 2.7e7 {
			t.Fatalf("%s %v %+v", got.Status, got.Value, got.Error)
		}
		if seen[value[3]] {
			t.Errorf("numpy drew %v twice", value[3])
		}
		seen[value[3]] = true
	}
}
