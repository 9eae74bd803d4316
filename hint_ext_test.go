package codemode_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

type shopOrder struct {
	ID    int     `json:"order_id"`
	Total float64 `json:"total"`
	Buyer struct {
		Name string `json:"name"`
	} `json:"buyer"`
}

func shop(t *testing.T) *codemode.Codemode {
	t.Helper()
	cm := open(t, codemode.Options{Registry: registry.New()})
	reg := cm.Registry()
	order := func(context.Context, struct {
		ID int `json:"id"`
	}) (shopOrder, error) {
		return shopOrder{ID: 7}, nil
	}
	registry.Func(reg, "shop.get_order", "Gets an order.", order, registry.Policy{ReadOnly: true})
	registry.Func(reg, "list_orders", "Lists orders.", func(context.Context, struct{}) ([]shopOrder, error) {
		return []shopOrder{{ID: 7}}, nil
	}, registry.Policy{ReadOnly: true})
	registry.Func(reg, "label", "Labels.", func(context.Context, struct {
		Text string `json:"text"`
	}) (any, error) {
		return nil, nil
	})
	registry.Func(reg, "cancel", "Cancels an order.", order, registry.Policy{Destructive: true})
	registry.Func(reg, "slow", "Takes its time.", func(ctx context.Context, in struct {
		Seconds float64 `json:"seconds"`
	}) (bool, error) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(in.Seconds * float64(time.Second))):
		}
		return true, ctx.Err()
	})
	return cm
}

func told(t *testing.T, cm *codemode.Codemode, code string) string {
	t.Helper()
	result, err := cm.Execute(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return result.Text()
}

func TestAModelLearnsFromAFailure(t *testing.T) {
	cm := shop(t)
	t.Run("what to do about a mistake", func(t *testing.T) { learnsFromAMistake(t, cm) })
	t.Run("a module that there is", func(t *testing.T) { learnsOfAModule(t, cm) })
	t.Run("what it must not repeat", func(t *testing.T) { learnsWhatNotToRepeat(t, cm) })
	t.Run("what took the time", func(t *testing.T) { learnsWhatTookTheTime(t, cm) })
}

// A mistake that models make teaches them the next step.
func learnsFromAMistake(t *testing.T, cm *codemode.Codemode) {
	t.Helper()
	for name, test := range map[string]struct{ code, hint string }{
		"a key that is spelled otherwise": {"tools.shop.get_order(id=7)['id']", `did you mean "order_id"? a dict that shop.get_order gave has the keys "buyer", "order_id", "total".`},
		"a key of a dict in a list":       {"[o['price'] for o in tools.list_orders()]", `a dict that list_orders gave has the keys "buyer", "order_id", "total".`},
		"a key of a dict in a dict":       {"tools.shop.get_order(id=7)['buyer']['names']", `did you mean "name"? a dict that shop.get_order gave has the keys "name".`},
		"a key of the program's own dict": {"{'a': 1}['b']", ""},
		"an attribute of a dict":          {"tools.shop.get_order(id=7).total", "a dict's values are read as ['total'] and not as .total."},
		"an attribute that is no key":     {"tools.shop.get_order(id=7).orders", `read as ['orders'] and not as .orders. did you mean "order_id"?`},
		"a list as a dict":                {"tools.list_orders()['total']", "take an item of it such as [0]. list_orders gave a list."},
		"a method of a dict on a list":    {"tools.list_orders().items()", "take an item of it such as [0]. list_orders gave a list."},
		"None":                            {"tools.label(text='x')['id']", "label gave None."},
		"keys for items":                  {"[x['total'] for x in tools.shop.get_order(id=7)]", "Looping over a dict gives its keys"},
		"a coroutine":                     {"tools.label.arun(text='x')['id']", "a coroutine has to be awaited"},
		"a coroutine as the result":       {"[tools.label.arun(text='x')]", "a coroutine has to be awaited"},
		"an await too many":               {"await tools.shop.get_order(id=7)", "gives its value at once: leave out the await"},
		"gather without arun":             {"import asyncio\nawait asyncio.gather(tools.list_orders())", "or call tools.name.arun(...)"},
		"asyncio.run":                     {"import asyncio\nasync def main(): pass\nif True:\n    await asyncio.sleep(0)\nasyncio.run(main())", "write await main() in place of asyncio.run(main())"},
		"parsing what is parsed":          {"import json\njson.loads(tools.shop.get_order(id=7))", "use it as it is, without json.loads"},
		"a tool without tools":            {"get_order(id=7)", "write tools.shop.get_order."},
		"a namespace without tools":       {"shop.get_order(id=7)", "write tools.shop."},
		"a name that is just unknown":     {"nonsuch", ""},
		"a wrong argument":                {"tools.shop.get_order(number=7)", "call it as tools.shop.get_order(id: int)"},
		"a wrong argument in a try":       {"try:\n    tools.label()\nexcept KeyError:\n    pass", "call it as tools.label(text)"},
		"an argument of a wrong type":     {"tools.shop.get_order(id='seven')", "call it as tools.shop.get_order(id: int)"},
		"the network":                     {"import urllib.request\nurllib.request.urlopen('http://example.com')", "a program has no network unless"},
		"a mistake of another kind":       {"1 / 0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := told(t, cm, test.code)
			_, hint, found := strings.Cut(text, "\nHint: ")
			if found != (test.hint != "") || !strings.Contains(hint, test.hint) {
				t.Errorf("the model is told\n%s\nand not %q", text, test.hint)
			}
			// What the traceback says is said once.
			last := strings.TrimSpace(text)
			if _, message, found := strings.Cut(last, "Error: "); found {
				message, _, _ = strings.Cut(message, "\n")
				if strings.Count(text, "Error: "+message) > 1 {
					t.Errorf("%q is said twice:\n%s", message, text)
				}
			}
		})
	}
}

func learnsOfAModule(t *testing.T, cm *codemode.Codemode) {
	t.Helper()
	for code, want := range map[string]string{
		"import statistic":                                  "did you mean statistics?",
		"def f():\n    import statistic\nf()":               "There is no statistic here; did you mean statistics?",
		"def f():\n    import requests.auth\nf()":           "There is no requests here; there is no network: use the tools",
		"import importlib\nimportlib.import_module('qqqq')": "There is no qqqq here; there is the standard library and nothing else",
	} {
		if text := told(t, cm, code); !strings.Contains(text, want) {
			t.Errorf("%s\ngave %s\nand not %q", code, text, want)
		}
	}
}

// What a second attempt must not repeat is told apart from what it may.
func learnsWhatNotToRepeat(t *testing.T, cm *codemode.Codemode) {
	t.Helper()
	text := told(t, cm, "tools.cancel(id=1)\ntools.label(text='a')\ntools.list_orders()\ntools.list_orders()\ntry:\n    tools.label(text=5)\nexcept ToolError: pass\n1/0")
	for _, want := range []string{
		`Already done, and cannot be undone; do not do it again: cancel({"id":1}) gave {"`,
		`Already done; do not do it again if it changes something: label({"text":"a"}) gave null`,
		"Changed nothing: list_orders, 2 times; label (invalid_arguments)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the model is not told %q, but:\n%s", want, text)
		}
	}
	if text := told(t, cm, "tools.cancel(id=1)\nprint('well')"); text != "stdout: well" {
		t.Errorf("a program that only prints is told as %q", text)
	}
}

func learnsWhatTookTheTime(t *testing.T, cm *codemode.Codemode) {
	t.Helper()
	for name, test := range map[string]struct{ code, hint string }{
		"calls one after another": {"for i in range(1000000):\n    tools.slow(seconds=0.02)", "one call after another: make calls that do not need each other at once"},
		"a call":                  {"tools.slow(seconds=10000)", "the time went to waiting for slow"},
		"the program":             {"tools.list_orders()\nwhile True: pass", "the program's own work took the time"},
	} {
		waittest.Longer(t, 600*time.Millisecond, func(limit time.Duration) error {
			result, err := cm.ExecuteRequest(t.Context(), codemode.Request{Code: test.code, Limits: codemode.Limits{Timeout: limit}})
			if err != nil || result.Status != codemode.StatusTimeout || !strings.Contains(result.Text(), "Hint: ") || !strings.Contains(result.Text(), test.hint) {
				return fmt.Errorf("%s: %w\n%s", name, err, result.Text())
			}
			return nil
		})
	}
}

// A model knows a tool as programs spell it, and would take another spelling for another tool.
func TestWhatIsAlreadyDoneIsToldAsProgramsSpellIt(t *testing.T) {
	cm := open(t, codemode.Options{Registry: registry.New()})
	for _, name := range []string{"shop.place-order", "shop.list orders"} {
		policy := registry.Policy{ReadOnly: strings.Contains(name, "list")}
		err := registry.Func(cm.Registry(), name, "", func(context.Context, struct{}) (map[string]int, error) { return map[string]int{"id": 1}, nil }, policy)
		if err != nil {
			t.Fatal(err)
		}
	}
	text := told(t, cm, "tools.shop.list_orders()\nfor _ in range(3): o = tools.shop.place_order()\no['nr']")
	for _, want := range []string{
		`Already done; do not do it again if it changes something: shop.place_order({}) gave {"id":1}, 3 times`,
		"Changed nothing: shop.list_orders", `a dict that shop.place_order gave has the keys "id"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
