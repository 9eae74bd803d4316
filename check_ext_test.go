package codemode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

func checkedTools(t *testing.T) *codemode.Codemode {
	t.Helper()
	cm := open(t, codemode.Options{Registry: registry.New()})
	reg := cm.Registry()
	for name, in := range map[string]string{
		"github.get_issue": `{"properties":{"owner":{"type":"string"},"number":{"type":"integer"},"page":{"type":"integer"}},"required":["owner","number"]}`,
		"weather":          `{"properties":{"city":{"type":"string"}},"required":["city"]}`,
		"get-me":           `{}`,
		"anything":         `{"properties":{"a":{}},"additionalProperties":true}`,
	} {
		err := reg.Add(registry.Tool{Name: name, InputSchema: json.RawMessage(in), Handler: func(_ context.Context, args registry.Args) (any, error) {
			return args.Map(), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return cm
}

// All that is wrong is told at once, with its place, and before any tool was called.
func TestAProgramLearnsAllItsProblemsBeforeAToolIsCalled(t *testing.T) {
	cm := checkedTools(t)
	first := "tools.weather(city='Oslo')\n"
	for code, want := range map[string][]string{
		"tools.wether(city='x')":                       {"line 2, column 1: there is no tool 'wether'; did you mean tools.weather?"},
		"é = 'é'; x = tools.wether(city='x')":          {"line 2, column 14: there is no tool 'wether'"},
		"tools.github.get_isue('a', 1)":                {"there is no tool 'github.get_isue'; did you mean tools.github.get_issue?"},
		"tools['wether'].run(city='x')":                {"there is no tool 'wether'; did you mean 'weather'?"},
		"tools.weather()":                              {"weather() is missing the required argument 'city'"},
		"tools.weather(town='x')":                      {"unexpected argument 'town'; it takes 'city'", "missing the required argument 'city'"},
		"tools.github.get_issue('a', 1, owner='b')":    {"got multiple values for argument 'owner'"},
		"tools.weather('a', 'b')":                      {"takes 1 positional argument but 2 were given"},
		"await tools.weather.arun(citty='x')":          {"unexpected argument 'citty'; did you mean 'city'?"},
		"import requests":                              {"there is no module named 'requests' here; there is no network: use the tools"},
		"from nonsuch.part import x":                   {"there is no module named 'nonsuch' here"},
		"from tools import wether":                     {"line 2, column 19: there is no tool 'wether'; did you mean tools.weather?"},
		"from tools.github import get_isue as g":       {"there is no tool 'github.get_isue'; did you mean tools.github.get_issue?"},
		"import tools.gthub":                           {"there is no tool 'gthub'"},
		"def f():\n    return tools.weather()\nf()":    {"line 3, column 12: weather() is missing"},
		"for n in [1]:\n    tools.a_b(n)\ntools.c_d()": {"line 3, column 5: there is no tool 'a_b'", "line 4, column 1: there is no tool 'c_d'"},
		"print([tools.nope(i) for i in range(3)])":     {"there is no tool 'nope'"},
		"for n in tools.github.get_isue(1):\n    n()":  {"there is no tool 'github.get_isue'"},
		"[x for x in tools.weather(town='x')]":         {"unexpected argument 'town'"},
	} {
		result, err := cm.Execute(t.Context(), first+code)
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != codemode.StatusError || !strings.Contains(result.Error.Traceback, "nothing has run") || len(result.ToolCalls) > 0 || result.Error.Line < 2 {
			t.Errorf("%s\ngave %s with %d calls made", code, result.Text(), len(result.ToolCalls))
			continue
		}
		types := map[string]string{"tool": "UnknownToolError", "module": "ModuleNotFoundError"}
		if _, rest, found := strings.Cut(want[0], "there is no "); found && result.Error.Type != types[strings.Fields(rest)[0]] {
			t.Errorf("%s: the type is %s", code, result.Error.Type)
		}
		for _, part := range want {
			if !strings.Contains(result.Error.Traceback, part) {
				t.Errorf("%s: no %q in\n%s", code, part, result.Error.Traceback)
			}
		}
	}
}

func TestProblemsOfSeveralKindsHaveATypeOfTheirOwn(t *testing.T) {
	result, err := checkedTools(t).Execute(t.Context(), "import requests\ntools.nope()\ntools.weather()")
	if err != nil || result.Error == nil || result.Error.Type != "ProgramProblems" || strings.Count(result.Error.Traceback, "line ") != 3 {
		t.Errorf("%v, %v", result.Text(), err)
	}
}

// What may be right is left to run.
func TestAProgramThatMayBeRightIsNotStopped(t *testing.T) {
	cm := checkedTools(t)
	for _, code := range []string{
		"class T:\n    def nope(self): return 1\ntools = T()\ntools.nope()",
		"def f(tools):\n    return tools.nope()\nclass T:\n    def nope(self): return 1\nf(T())",
		"for tools in [dict]:\n    tools.fromkeys([])",
		"[tools.upper() for tools in 'ab']",
		"import math as tools\ntools.sqrt(4)",
		"globals()['tools'] = dict\ntools.fromkeys([])",
		"args = {'city': 'x'}\ntools.weather(**args)", "args = ['x']\ntools.weather(*args)",
		"tools.anything(b=1, c=2)", "tools.anything()",
		"getattr(tools, 'nope', None)", "hasattr(tools, 'nope') and tools.nope()",
		"if 'nope' in tools:\n    tools.nope()",
		"if 'nope' in tools.github:\n    tools.github.nope()",
		"try:\n    import requests\nexcept ImportError:\n    requests = None",
		"if False:\n    import requests\n    tools.nope()", "if not True:\n    tools.nope()", "while 0:\n    tools.nope()",
		"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests\n    tools.nope()",
		"x = 1 if True else tools.nope()", "1 or tools.nope()",
		"try:\n    tools.nope()\nexcept AttributeError:\n    pass", "try:\n    tools.weather()\nexcept ToolError:\n    pass",
		"import contextlib\nwith contextlib.suppress(Exception):\n    tools.nope()",
		"def f():\n    return tools.nope()\ntry:\n    f()\nexcept Exception:\n    pass",
		"def attempt(f):\n    try:\n        return f()\n    except ToolError:\n        pass\nattempt(lambda: tools.nope())",
		"def never():\n    tools.nope()\n    import requests",
		"import asyncio\nawait asyncio.gather(tools.weather.arun(), return_exceptions=True)\n1",
		"from functools import partial\npartial(tools.weather)('x')", "w = tools.weather\nw('x')", "g = tools.github\ng.get_issue('a', 1)",
		"(lambda t: t.weather('x'))(tools)", "list(map(tools.weather, ['a', 'b']))",
		"tools['get-me']()", "tools['weather'].run(city='x')", "tools.get_me.run()", "tools.weather.__doc__", "tools.search('weather')",
		"open('mine.py', 'w').write('x = 1')\nimport sys\nsys.path.insert(0, '.')\nimport mine\nmine.x",
		"import os.path, collections.abc, xml.etree.ElementTree\nfrom concurrent.futures import ThreadPoolExecutor",
		"import tools\ntools.weather('x')", "from tools import weather\nweather('x')",
		"import tools.github\ntools.github.get_issue('a', 1)", "import tools.github as g\ng.get_issue('a', 1)",
		"from tools.github import get_issue as i\ni('a', 1)", "from tools import github, get_me, search\nget_me()",
		"from tools import *\nweather('x')", "from tools.github import *\nreturn get_issue('a', 1)",
		"try:\n    from tools import nope\nexcept ImportError:\n    nope = None",
		"try:\n    from tools.weather import nope\nexcept ImportError as error:\n    assert 'from tools import weather' in str(error), error",
		"await asyncio.gather(tools.weather.arun('x'))",
		"return tools.weather('x')\ntools.nope()", "# tools.nope()\n'tools.nope()'",
		"match {'a': 1}:\n    case {'a': tools}:\n        tools.bit_length()",
		"s = 'x\\x0cy'\ntools.weather(s)",
	} {
		result, err := cm.Execute(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != codemode.StatusOK {
			t.Errorf("%s\nwas stopped: %s", code, result.Text())
		}
	}
}

// Programs of the size of those in public benchmarks, with and without tools.
func TestOrdinaryProgramsPassTheCheck(t *testing.T) {
	cm := checkedTools(t)
	var b strings.Builder
	b.WriteString("import asyncio, re, json, math, heapq, itertools, functools, collections, dataclasses, typing, statistics\n" +
		"from typing import List, Optional\nfrom collections import Counter, defaultdict\n")
	for i := range 40 {
		fmt.Fprintf(&b, "def solve_%d(xs: List[int], k: Optional[int] = None) -> int:\n    '''Uses no tools. >>> solve(1)'''\n    seen = defaultdict(list)\n    for x in xs:\n        seen[x %% 3].append(x)\n    return max((len(v) for v in seen.values()), default=0)\nassert solve_%d([1, 2, 3, 4]) == 2\n", i, i)
	}
	b.WriteString("rows = await asyncio.gather(*[tools.weather.arun(city=c) for c in 'abc'])\nlen(rows)")
	result, err := cm.Execute(t.Context(), b.String())
	if err != nil || result.Value != int64(3) {
		t.Fatal(result.Text(), err)
	}
}

// What a session's program imported is looked up anew by the next: the tools may be others.
func TestAnImportOfASessionFindsTheToolsOfItsOwnRun(t *testing.T) {
	cfg := config.Default()
	cfg.Executor.Sessions.Max = 1
	cm := open(t, codemode.Options{Registry: registry.New(), Config: cfg})
	session, source := codemode.NewSession("imports"), &itemSource{}
	if err := cm.Registry().Attach(source); err != nil {
		t.Fatal(err)
	}
	for _, argument := range []string{"number", "name"} {
		if err := cm.Registry().Replace(source, itemBy(argument)); err != nil {
			t.Fatal(err)
		}
		code := fmt.Sprintf("from tools.shop import item\nimport tools.shop as s\nitem(%[1]s='x') == s.item(%[1]s='x')", argument)
		result, err := cm.ExecuteRequest(t.Context(), codemode.Request{Code: code, Session: session})
		if err != nil || result.Value != true {
			t.Fatal(result.Text(), err)
		}
	}
}

type itemSource struct{}

func (*itemSource) Start(context.Context, *registry.Registry) error { return nil }
func (*itemSource) Close() error                                    { return nil }

func itemBy(argument string) registry.Tool {
	return registry.Tool{
		Name: "shop.item", InputSchema: fmt.Appendf(nil, `{"type":"object","properties":{%q:{"type":"string"}},"required":[%[1]q],"additionalProperties":false}`, argument),
		Handler: func(_ context.Context, args registry.Args) (any, error) { return args.Map(), nil },
	}
}
