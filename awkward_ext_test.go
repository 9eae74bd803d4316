package codemode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// awkward are function descriptions as public benchmarks and hand-written lists have them,
// with calls as models write them and what the function must get.
var awkward = []struct {
	name, schema, code, want string
}{
	{"dict", `{"type":"dict","properties":{"file_name":{"type":"string"},"content":{"type":"string"}},"required":["file_name","content"]}`,
		`t("a.txt", "x")`, `{"file_name":"a.txt","content":"x"}`},
	{"float", `{"type":"dict","properties":{"base":{"type":"float"},"height":{"type":"float"},"unit":{"type":"string","default":"cm"}},"required":["base","height"]}`,
		`t(3, height=4.5)`, `{"base":3,"height":4.5}`},
	{"tuple", `{"type":"dict","properties":{"point":{"type":"tuple","items":{"type":"float"}},"line":{"type":"array","items":{"type":"tuple","items":{"type":"integer"}}}},"required":["point"]}`,
		`t((1.5, 2), [(1, 2), (3, 4)])`, `{"point":[1.5,2],"line":[[1,2],[3,4]]}`},
	{"any", `{"type":"object","properties":{"value":{"type":"any"},"items":{"type":"list","items":{"type":"any"}}},"required":["value"]}`,
		`t({"k": [1, None]}, items=[1, "a", None])`, `{"value":{"k":[1,null]},"items":[1,"a",null]}`},
	{"python types", `{"type":"dict","properties":{"n":{"type":"int"},"s":{"type":"str"},"b":{"type":"bool"},"l":{"type":"List[str]"},"d":{"type":"Dict[str, int]"},"o":{"type":"Optional[int]"},"x":{"type":"NoneType"}},"required":["n","s","b"]}`,
		`t(1, "a", True, ["b"], {"c": 2}, None, None)`, `{"n":1,"s":"a","b":true,"l":["b"],"d":{"c":2},"o":null,"x":null}`},
	{"Java and JavaScript types", `{"type":"dict","properties":{"s":{"type":"String"},"n":{"type":"Integer"},"f":{"type":"double"},"h":{"type":"HashMap","properties":{"a":{"type":"long"}}},"a":{"type":"ArrayList","items":{"type":"char"}},"b":{"type":"Boolean"}},"required":["s"]}`,
		`t("a", 1, 2.5, {"a": 1}, ["x"], False)`, `{"s":"a","n":1,"f":2.5,"h":{"a":1},"a":["x"],"b":false}`},
	{"no type", `{"properties":{"q":{"description":"What to look for."},"n":{"description":"How many","default":10}},"required":["q"]}`,
		`t("x", 3)`, `{"q":"x","n":3}`},
	{"properties without type", `{"properties":{"place":{"properties":{"city":{"type":"string"},"zip":{"type":"string"}},"required":["city"]}},"required":["place"]}`,
		`t({"city": "Oslo"})`, `{"place":{"city":"Oslo"}}`},
	{"defaults as strings", `{"type":"dict","properties":{"n":{"type":"integer","default":"10"},"on":{"type":"boolean","default":"True"},"tags":{"type":"array","items":{"type":"string"},"default":"[]"},"f":{"type":"float","default":"0.5"},"none":{"type":"string","default":"None"}}}`,
		`t(7, tags=["a"])`, `{"n":7,"tags":["a"]}`},
	{"required names what is not there", `{"type":"dict","properties":{"a":{"type":"string"}},"required":["a","ghost"]}`,
		`t("x", ghost=1)`, `{"a":"x","ghost":1}`},
	{"required as a mark of the property", `{"type":"object","properties":{"a":{"type":"string","required":true},"b":{"type":"integer","required":false,"optional":true}},"required":null}`,
		`t("x", 2)`, `{"a":"x","b":2}`},
	{"required is a single name", `{"type":"object","properties":{"a":{"type":"string"}},"required":"a"}`, `t("x")`, `{"a":"x"}`},
	{"names that are no identifiers", `{"type":"dict","properties":{"from":{"type":"string"},"user-id":{"type":"integer"},"max.size":{"type":"integer"},"class":{"type":"string"},"2nd":{"type":"string"},"a b":{"type":"string"}},"required":["from","user-id"]}`,
		`t("me", 1, 2, "c", "s", "sp")`, `{"from":"me","user-id":1,"max.size":2,"class":"c","2nd":"s","a b":"sp"}`},
	{"the names of builtins", `{"type":"dict","properties":{"type":{"type":"string"},"id":{"type":"integer"},"list":{"type":"array","items":{"type":"integer"}},"self":{"type":"string"},"run":{"type":"boolean"},"args":{"type":"string"},"kwargs":{"type":"string"}},"required":["type"]}`,
		`t("x", id=1, list=[2], self="s", run=True, args="a", kwargs="k")`, `{"type":"x","id":1,"list":[2],"self":"s","run":true,"args":"a","kwargs":"k"}`},
	{"enums of mixed types", `{"type":"dict","properties":{"unit":{"type":"string","enum":["km","mi",""]},"level":{"enum":[1,"high",null,2.5]},"flag":{"type":"string","enum":[true,false]}},"required":["unit"]}`,
		`t("km", 2.5)`, `{"unit":"km","level":2.5}`},
	{"optional parameters first", `{"type":"dict","properties":{"limit":{"type":"integer","default":5},"query":{"type":"string"}},"required":["query"]}`,
		`t(query="x", limit=2)`, `{"query":"x","limit":2}`},
	{"nothing", `{"type":"dict","properties":{},"required":[]}`, `t()`, `{}`},
	{"null", `null`, `t()`, `{}`},
	{"an array without items", `{"type":"dict","properties":{"rows":{"type":"array"},"more":{"type":"array","items":{}}},"required":["rows"]}`,
		`t([[1, "a"], {"b": None}], more=[1])`, `{"rows":[[1,"a"],{"b":null}],"more":[1]}`},
	{"several types at once", `{"type":"dict","properties":{"id":{"type":["string","integer"]},"when":{"type":"string, null"},"size":{"type":"integer or float"}},"required":["id"]}`,
		`t(7, when="now", size=1.5)`, `{"id":7,"when":"now","size":1.5}`},
	{"a nested dict", `{"type":"dict","properties":{"order":{"type":"dict","properties":{"items":{"type":"array","items":{"type":"dict","properties":{"sku":{"type":"string"},"n":{"type":"integer"}},"required":["sku"]}},"to":{"type":"dict","properties":{"lat":{"type":"float"},"lon":{"type":"float"}}}},"required":["items"]}},"required":["order"]}`,
		`t({"items": [{"sku": "a", "n": 1}, {"sku": "b"}], "to": {"lat": 1, "lon": 2.5}})`, `{"order":{"items":[{"sku":"a","n":1},{"sku":"b"}],"to":{"lat":1,"lon":2.5}}}`},
}

func TestFunctionsOfAnyListRunAsModelsCallThem(t *testing.T) {
	got := map[string]string{}
	reg := registry.New()
	for i, tool := range awkward {
		name := fmt.Sprintf("Bench-%d.do.it-now", i)
		err := reg.Add(registry.Tool{Name: name, Description: tool.name, InputSchema: json.RawMessage(tool.schema),
			Handler: func(_ context.Context, args registry.Args) (any, error) {
				got[tool.name] = string(args.JSON())
				return args.Map(), nil
			}})
		if err != nil {
			t.Errorf("%s: %v", tool.name, err)
		}
	}
	cm := open(t, codemode.Options{Registry: reg})
	for i, tool := range awkward {
		// By path, by name, and with the result of one call in the next.
		for _, way := range []string{
			fmt.Sprintf("t = tools.Bench_%d.do.it_now\n", i), fmt.Sprintf("t = tools['Bench-%d.do.it-now'].run\n", i),
		} {
			delete(got, tool.name)
			result, err := cm.Execute(t.Context(), way+"import ast\nast.parse(help_text) if (help_text := tools['Bench-"+fmt.Sprint(i)+".do.it-now'].__doc__) else 1/0\n"+tool.code)
			if err != nil || result.Status != codemode.StatusOK {
				t.Errorf("%s: %v %s", tool.name, err, result.Text())
				continue
			}
			var want, have any
			if json.Unmarshal([]byte(tool.want), &want) != nil || json.Unmarshal([]byte(got[tool.name]), &have) != nil {
				t.Fatalf("%s: not JSON: %s, %s", tool.name, tool.want, got[tool.name])
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s: the function got (-want +got):\n%s", tool.name, diff)
			}
		}
	}
	if text, err := cm.Description(); err != nil || strings.Count(text, "def it_now(") != len(awkward) {
		t.Errorf("the description has not all tools, %v:\n%s", err, text)
	}
}
