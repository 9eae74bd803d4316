package codemode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log"
	"strings"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// Three kinds of tools: a function, one that gives rows, and a handler with a schema.
func ExampleNew() {
	reg := registry.New()
	registry.Func(reg, "shop.price", "What an article costs, in cents.", func(_ context.Context, in struct {
		Article string `json:"article"`
	}) (int, error) {
		return map[string]int{"tea": 450, "cups": 1200}[in.Article], nil
	})
	registry.Stream(reg, "shop.articles", "All articles.", func(context.Context, struct{}) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			_ = yield("tea", nil) && yield("cups", nil)
		}
	})
	reg.Add(registry.Tool{
		Name: "shop.in-stock", Description: "Whether there are so many of an article.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"article":{"type":"string"},"n":{"type":"integer","default":1}},"required":["article"]}`),
		Handler: func(_ context.Context, args registry.Args) (any, error) {
			return args.Map()["article"] == "tea", nil
		},
	})
	cm, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	result, err := cm.Execute(context.Background(), `{a: tools.shop.price(a) for a in tools.shop.articles() if tools.shop.in_stock(a, n=2)}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Value)
	// Output:
	// map[tea:450]
}

// What the model is shown of the tools.
func ExampleDescribe() {
	reg := registry.New()
	registry.Func(reg, "shop.find", "Finds articles.", func(_ context.Context, in struct {
		Words string `json:"words"`
		Sort  string `json:"sort,omitempty" jsonschema:"enum=price,enum=name"`
		Limit int    `json:"limit,omitempty" jsonschema:"description=0 is all"`
	}) ([]string, error) {
		return nil, nil
	})
	tool, err := codemode.Describe(reg, "")
	if err != nil {
		log.Fatal(err)
	}
	_, stubs, _ := strings.Cut(tool.Description, "```python\n")
	fmt.Print(strings.TrimSuffix(stubs, "```"))
	// Output:
	// class shop:
	//     def find(words, sort: 'price'|'name'=..., limit: int=...) -> list[str]:
	//         """Finds articles.
	//
	//         Args:
	//             limit: 0 is all
	//         """
}

// Tools that the model is offered beside the one that runs programs, and one it is not shown.
func ExampleCodemode_Tools() {
	reg := registry.New()
	nothing := func(context.Context, struct{}) (int, error) { return 0, nil }
	registry.Func(reg, "mail.send", "Sends the draft.", nothing, registry.Policy{Direct: true, RequireApproval: true})
	registry.Func(reg, "mail.list", "Lists the drafts.", nothing, registry.Policy{ReadOnly: true})
	registry.Func(reg, "mail.purge", "Deletes all.", nothing, registry.Policy{Hidden: true})
	cm, err := codemode.New(codemode.Options{Registry: reg, SearchTool: "search_tools"})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	tools, err := cm.Tools()
	if err != nil {
		log.Fatal(err)
	}
	for _, tool := range tools {
		fmt.Println(tool.Name, strings.Contains(tool.Description, "purge"))
	}
	// Output:
	// codemode false
	// search_tools false
	// mail_send false
}

// A person decides about some calls; the other calls of the program go on meanwhile.
func ExampleOptions_approve() {
	reg := registry.New()
	registry.Func(reg, "pay", "Pays.", func(_ context.Context, in struct {
		Euros int `json:"euros"`
	}) (string, error) {
		return fmt.Sprint("paid ", in.Euros), nil
	}, registry.Policy{RequireApproval: true})
	cm, err := codemode.New(codemode.Options{
		Registry: reg,
		Approve: func(_ context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
			if r.Args.Map()["euros"].(int64) > 100 {
				return registry.Decision{Reason: "over the limit"}, nil
			}
			return registry.Decision{Allow: true}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	result, err := cm.Execute(context.Background(), `
print(tools.pay(euros=20))
try:
    tools.pay(euros=2000)
except ToolError as error:
    print(error.kind, "-", error.message)
`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(result.Stdout)
	// Output:
	// paid 20
	// denied - the call was not approved: over the limit
}

// What happens in a run, while it happens; here for one conversation of several.
func ExampleWithOnEvent() {
	ctx := codemode.WithOnEvent(context.Background(), func(e codemode.Event) {
		switch {
		case e.Stdout != "":
			fmt.Print("printed ", e.Stdout)
		case e.ToolStart != nil:
			fmt.Println("calls", e.ToolStart.Tool, e.ToolStart.Args)
		case e.ToolEnd != nil && e.ToolEnd.Error == nil:
			fmt.Println("has", e.ToolEnd.Result)
		}
	})
	_, err := shared.Call(ctx, `print("sum:", tools.add(a=40, b=2))`)
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// calls add map[a:40 b:2]
	// has 42
	// printed sum: 42
}

// Programs of a session find what those before them left.
func ExampleNewSession() {
	cfg := config.Default()
	cfg.Executor.Sessions.Max = 1 // by default there are none
	cm, err := codemode.New(codemode.Options{Config: cfg})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	session := codemode.NewSession("conversation-7")
	for _, code := range []string{"orders = [3, 4]", "orders.append(5)", "sum(orders)"} {
		result, err := cm.ExecuteRequest(context.Background(), codemode.Request{Code: code, Session: session})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Value)
	}
	if err := cm.CloseSession(context.Background(), session); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <nil>
	// <nil>
	// 12
}

// All calls of a model's message, whatever framework it came by.
func ExampleCodemode_Dispatch() {
	clock := codemode.Tool{Name: "clock", Call: func(context.Context, string) (string, error) { return "noon", nil }}
	replies, err := shared.Dispatch(context.Background(), []codemode.FunctionCall{
		{ID: "call_1", Name: "codemode", Arguments: `{"code":"tools.add(a=40, b=2)"}`},
		{ID: "call_2", Name: "clock"},
		{ID: "call_3", Name: "add", Arguments: `{"a":1}`}, // which models try
	}, clock)
	if err != nil {
		log.Fatal(err)
	}
	for _, reply := range replies {
		fmt.Println(reply.ID, reply.Text)
	}
	// Output:
	// call_1 42
	// call_2 noon
	// call_3 There is no function "add", and nothing was run. Call codemode, whose argument is a Python program: tools.add(...) is called in it.
}
