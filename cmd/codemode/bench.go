package main

import (
	"context"
	"encoding/json"
	"errors"
	"os/signal"
	"syscall"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/bench"
)

func benchCommand() command {
	return command{
		name:    "bench",
		usage:   "bench [--json] [--runs N] [--without-sandbox] [--config F]",
		summary: "measures the executor beside the floors of the same machine",
		help: "A floor is what the same work costs without the executor, such as a fork of a warm CPython.\n" +
			"The ratios compare; the times are for the record. Let the machine be idle meanwhile.",
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			asJSON := flags.Bool("json", false, "print one JSON object")
			runs := flags.Int("runs", 300, "take each figure `N` times, 10 to 100000")
			without := flags.Bool("without-sandbox", false, "measure once more with every layer off, for what the sandbox costs")
			file := flags.String("config", "", "read the executor's configuration from `F`")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				if *runs < 10 || *runs > 100_000 {
					return exitOther, errors.New("--runs takes 10 to 100000")
				}
				loaded, err := config.Load(*file)
				if err != nil {
					return exitOther, err
				}
				ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
				defer stop()
				options := bench.Options{Runs: *runs, WithoutSandbox: *without}
				if !*asJSON {
					options.Progress = io.out
				}
				report, err := bench.Run(ctx, loaded.Sidecar(), options)
				if err != nil {
					return exitOther, err
				}
				if *asJSON {
					return exitOK, json.NewEncoder(io.out).Encode(report)
				}
				report.Print(io.out)
				return exitOK, nil
			}
		},
	}
}
