package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dop251/goja"
	"go.starlark.net/starlark"

	"github.com/codemode-sdk/codemode"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// own is codemode with the executor in this process, as New gives it.
func own() peer {
	return peer{name: "codemode", isolation: "a fresh process for each: namespaces, Landlock, seccomp, limits", start: func(ctx context.Context) (func(context.Context) error, func() error, error) {
		cm, err := codemode.New(codemode.Options{})
		if err != nil {
			return nil, nil, err
		}
		return func(ctx context.Context) error {
			result, err := cm.Execute(ctx, "1+1")
			if err == nil && result.Value != int64(2) {
				err = errors.New(result.Text())
			}
			return err
		}, cm.Close, nil
	}}
}

// inside is an interpreter in this process: its bugs are this process's, and so are the
// memory and the processor time that a program takes.
func inside(name string, run func() (string, error)) peer {
	const isolation = "none: an interpreter in the same process, of another language or a part of Python"
	return peer{name: name, isolation: isolation, start: func(context.Context) (func(context.Context) error, func() error, error) {
		return func(context.Context) error {
			got, err := run()
			return says([]byte(got), err)
		}, func() error { return nil }, nil
	}}
}

func starlarkGo() peer {
	return inside("Starlark in Go", func() (string, error) {
		value, err := starlark.Eval(&starlark.Thread{}, "program", "1+1", nil)
		return fmt.Sprint(value), err
	})
}

func gojaJS() peer {
	return inside("goja (JavaScript)", func() (string, error) {
		value, err := goja.New().RunString("1+1")
		return fmt.Sprint(value), err
	})
}
