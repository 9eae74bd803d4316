package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/registry"
)

func doctorCommand() command {
	return command{
		name:    "doctor",
		usage:   "doctor [--json] [--config F]",
		summary: "says which sandbox layers hold here, by trying to break out",
		help: `
It starts an executor in this process and runs attacks through it, each a Python program.

Exit status: 0 when all of them were held, 1 when something got through or an attack came
to no verdict, 2 when there is no executor to be had with the required isolation. Then
what can be had is shown all the same.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			asJSON := flags.Bool("json", false, "print one JSON object")
			file := flags.String("config", "", "configure from `FILE` in place of codemode.yaml")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				loaded, err := config.Load(*file)
				if err != nil {
					return exitOther, err
				}
				ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				context.AfterFunc(ctx, stop)
				found, err := examine(ctx, loaded)
				if found == nil {
					return exitOther, err
				}
				if printed := found.print(io, *asJSON); printed != nil {
					return exitOther, printed
				}
				switch {
				case err != nil:
					return exitOther, err
				case !found.Held:
					return exitProgram, nil
				}
				return exitOK, nil
			}
		},
	}
}

// findings is what doctor has to say.
type findings struct {
	Version string `json:"version"`
	Python  string `json:"python"`
	// Held is true if no attack got through, and each came to a verdict.
	Held    bool             `json:"held"`
	Layers  []codemode.Layer `json:"layers"`
	Attacks []verdict        `json:"attacks"`
}

// examine attacks an executor. Findings may come with an error: that the required
// isolation is not to be had, and what there is instead.
func examine(ctx context.Context, cfg *config.Config) (*findings, error) {
	lure, err := newLure()
	if err != nil {
		return nil, err
	}
	found, err := attackWith(ctx, cfg, lure)
	if err != nil && fault.CodeOf(err) == fault.Sandbox && cfg.Executor.Sandbox.Require != config.RequireUnsafeNone {
		// Nothing but the attacks themselves runs with less than is required.
		cfg.Executor.Sandbox = config.Sandbox{Require: config.RequireUnsafeNone}
		weak, weaker := attackWith(ctx, cfg, lure)
		if weaker == nil {
			found = weak
		}
	}
	return found, errors.Join(err, lure.close())
}

func attackWith(ctx context.Context, cfg *config.Config, lure *lure) (*findings, error) {
	// The executor under examination is always the one in this process.
	cfg.Executor.URL, cfg.Executor.APIKey = config.Embedded, config.Secret{}
	cfg.Executor.Server = config.Default().Executor.Server
	reg := registry.New()
	registry.Func(reg, "look", "Lets the doctor look at the processes.", func(context.Context, struct{}) (any, error) {
		lure.look()
		return nil, nil
	})
	c, err := codemode.New(codemode.Options{Registry: reg, Config: cfg})
	if err != nil {
		return nil, err
	}
	found := &findings{Version: version.String(), Held: true}
	if found.Layers, err = c.Layers(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	which, err := c.Execute(ctx, "import platform; platform.python_version()")
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	found.Python, _ = which.Value.(string)
	for _, a := range attacks() {
		v, err := a.try(ctx, c, lure)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		found.Attacks = append(found.Attacks, v)
		found.Held = found.Held && v.Outcome == held
	}
	return found, c.Close()
}

func (f *findings) print(io stdio, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(f)
	}
	fmt.Fprintf(io.out, "codemode %s, CPython %s\n\n", f.Version, f.Python)
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LAYER\tIN FORCE\t")
	for _, layer := range f.Layers {
		state := "yes"
		if !layer.InForce {
			state = "no"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", layer.Name, state, layer.Detail)
	}
	fmt.Fprintln(table, "\t\t\nATTACK\tOUTCOME\t")
	for _, v := range f.Attacks {
		outcome := string(v.Outcome)
		if v.Outcome != held {
			outcome = "NOT HELD"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", v.Name, outcome, v.Detail)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(io.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
