package codemode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

func Example() {
	type account struct {
		Balance float64 `json:"balance"`
		Percent float64 `json:"percent"`
	}
	reg := registry.New()
	registry.Func(reg, "grow", "What an account holds after a year.", func(_ context.Context, a account) (float64, error) {
		return a.Balance * (1 + a.Percent/100), nil
	})
	cm, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	result, err := cm.Execute(context.Background(), `
balance, years = 1000.0, 0
while balance < 2000:
    balance = tools.grow(balance=balance, percent=7)
    years += 1
print(f"doubled to {balance:.2f}")
years
`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(result.Stdout)
	fmt.Println(result.Status, result.Value, "after", len(result.ToolCalls), "calls")
	// Output:
	// doubled to 2104.85
	// ok 11 after 11 calls
}

func ExampleCodemode_Call() {
	// What a model sends as the function's arguments, and what it is sent back.
	text, err := shared.Call(context.Background(), `{"code": "xs = [3, 1, 2]\nsorted(xs)[7]"}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// The run failed (error): IndexError [line 2]
	// Traceback (most recent call last):
	//   File "program.py", line 2, in <module>
	//     sorted(xs)[7]
	//     ~~~~~~~~~~^^^
	// IndexError: list index out of range
}

func ExampleCodemode_Tool() {
	tool, err := shared.Tool()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tool.Name)
	fmt.Println(string(tool.Parameters))
	// Output:
	// codemode
	// {"type":"object","properties":{"code":{"type":"string","description":"The Python program."}},"required":["code"],"additionalProperties":false}
}

func ExampleCodemode_ExecuteRequest() {
	result, err := shared.ExecuteRequest(context.Background(), codemode.Request{
		Code:   "import time\nprint('going to sleep')\ntime.sleep(60)",
		Limits: codemode.Limits{Timeout: 2 * time.Second},
		OnEvent: func(e codemode.Event) {
			fmt.Print(e.Stdout)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Status, "at line", result.Error.Line)
	// Output:
	// going to sleep
	// timeout at line 3
}

func ExampleResult_decode() {
	result, err := shared.Execute(context.Background(), `
from datetime import datetime, timezone
{"name": "Ada", "born": datetime(1815, 12, 10, tzinfo=timezone.utc)}
`)
	if err != nil {
		log.Fatal(err)
	}
	var person struct {
		Name string    `json:"name"`
		Born time.Time `json:"born"`
	}
	if err := result.Decode(&person); err != nil {
		log.Fatal(err)
	}
	fmt.Println(person.Name, person.Born.Format(time.DateOnly))
	// Output:
	// Ada 1815-12-10
}

func ExampleCodeOf() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	result, err := shared.Execute(ctx, "while True: pass")
	fmt.Println(result.Status, codemode.CodeOf(err), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// cancelled cancelled true
}
