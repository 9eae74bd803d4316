package registry_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/registry/internal/dice"
)

// A City is where something is looked up.
type City struct {
	Name string `json:"name"` // as it is written in its own language
}

// Almanac knows the sun.
type Almanac struct{}

// DayLength gives the hours from sunrise to sunset today.
func (*Almanac) DayLength(_ context.Context, in City) (float64, error) { return 12.5, nil }

func ExampleAddMethods() {
	reg := registry.New()
	if err := registry.AddMethods(reg, &Almanac{}, registry.Methods{
		Policies: map[string]registry.Policy{"DayLength": {ReadOnly: true}},
	}); err != nil {
		log.Fatal(err)
	}
	tool, _ := reg.Lookup("almanac.day_length")
	fmt.Println(tool.Stub())
	// Output:
	// def day_length(name: str) -> float:
	//     """Gives the hours from sunrise to sunset today.
	//
	//     Args:
	//         name: as it is written in its own language
	//     """
}

func ExampleStream() {
	reg := registry.New()
	registry.Stream(reg, "count", "Counts up to a number.", func(_ context.Context, in struct {
		To int `json:"to"`
	}) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for n := 1; n <= in.To; n++ {
				if !yield(n, nil) { // the program reads no further
					return
				}
			}
		}
	})
	for row, err := range reg.NewRun(registry.RunOptions{}).Rows(context.Background(), "count", []byte(`{"to": 3}`), nil) {
		fmt.Println(string(row), err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}

type translator struct{}

func (translator) Run(_ context.Context, text string) (string, error) { return "«" + text + "»", nil }

func ExampleAddAgent() {
	reg := registry.New()
	registry.AddAgent(reg, "translator", "Translates into French.", translator{})
	result, err := reg.Call(context.Background(), "agents.translator", []byte(`{"input": "hello"}`))
	fmt.Println(string(result), err)
	// Output:
	// "«hello»" <nil>
}

func ExamplePolicy() {
	reg := registry.New()
	registry.Func(reg, "pay", "Pays.", func(context.Context, struct{}) (string, error) { return "paid", nil },
		registry.Policy{Destructive: true, CallsPerRun: 1})
	run := reg.NewRun(registry.RunOptions{})
	for range 2 {
		result, err := run.Call(context.Background(), "pay", nil, nil)
		fmt.Println(string(result), err)
	}
	// Output:
	// "paid" <nil>
	//  tool pay: a program may call this tool 1 times, and has done so
}

func ExampleRunOptions_approve() {
	type payment struct {
		Amount int `json:"amount"`
	}
	reg := registry.New()
	registry.Func(reg, "pay", "Pays.", func(_ context.Context, in payment) (int, error) { return in.Amount, nil },
		registry.Policy{RequireApproval: true})
	run := reg.NewRun(registry.RunOptions{ // codemode.Options has the same field
		Approve: func(_ context.Context, r registry.ApprovalRequest) (registry.Decision, error) {
			var asked payment
			if err := r.Args.Decode(&asked); err != nil {
				return registry.Decision{}, err
			}
			if asked.Amount > 1000 {
				return registry.Decision{Reason: "too much"}, nil
			}
			return registry.Decision{Allow: true, Args: payment{min(asked.Amount, 100)}}, nil
		},
	})
	for _, args := range []string{`{"amount": 50}`, `{"amount": 500}`, `{"amount": 5000}`} {
		result, err := run.Call(context.Background(), "pay", []byte(args), nil)
		fmt.Println(string(result), err)
	}
	// Output:
	// 50 <nil>
	// 100 <nil>
	//  tool pay: the call was not approved: too much
}

type userKey struct{}

func ExampleRunOptions_middleware() {
	reg := registry.New()
	registry.Func(reg, "invoices", "Lists invoices.", func(context.Context, struct{}) ([]int, error) { return []int{7, 8}, nil })
	run := reg.NewRun(registry.RunOptions{ // codemode.Options has the same field
		Middleware: []func(registry.Handler) registry.Handler{func(next registry.Handler) registry.Handler {
			return func(ctx context.Context, args registry.Args) (any, error) {
				if ctx.Value(userKey{}) == nil {
					return nil, &registry.ToolError{Kind: registry.KindDenied, Message: "log in first"}
				}
				return next(ctx, args)
			}
		}},
	})
	ctx := context.Background()
	for _, ctx := range []context.Context{ctx, context.WithValue(ctx, userKey{}, "ada")} {
		result, err := run.Call(ctx, "invoices", nil, nil)
		fmt.Println(string(result), err)
	}
	// Output:
	//  tool invoices: log in first
	// [7,8] <nil>
}

// A package of tools calls Provide in its init function; this file imports one:
//
//	import _ "github.com/codemode-sdk/codemode/registry/internal/dice"
//
// Options.AutoDiscover of package codemode does what Discover does here.
func ExampleRegistry_Discover() {
	reg := registry.New()
	if err := reg.Discover(); err != nil {
		log.Fatal(err)
	}
	result, err := reg.Call(context.Background(), "dice.roll", nil)
	fmt.Println(string(result), err)
	// Output:
	// 4 <nil>
}

// A shelf is a source of tools that come and go with it, as an MCP server's do.
type shelf struct{ books []string }

func (s *shelf) Start(_ context.Context, reg *registry.Registry) error {
	return reg.Replace(s, registry.Tool{
		Name: "shelf.books", Description: "Lists the books.",
		Handler: func(context.Context, registry.Args) (any, error) { return s.books, nil },
	})
}

func (s *shelf) Close() error { return nil }

func ExampleSource() {
	reg := registry.New()
	if err := reg.Attach(&shelf{[]string{"Emma"}}); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := reg.Start(ctx); err != nil { // codemode.New does
		log.Fatal(err)
	}
	result, err := reg.Call(ctx, "shelf.books", nil)
	fmt.Println(string(result), err)
	if err := reg.Close(); err != nil { // Codemode.Close does
		log.Fatal(err)
	}
	fmt.Println(len(reg.Entries()), "tools are left")
	// Output:
	// ["Emma"] <nil>
	// 0 tools are left
}
