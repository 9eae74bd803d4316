package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/bench"
)

func benchCommand() command {
	return command{
		name:    "bench",
		usage:   "bench [--json] [--runs N | --soak N] [--without-sandbox] [--python PATH] [--config F]",
		summary: "measures the executor beside the floors of the same machine",
		help: "A floor is what the same work costs without the executor, such as a fork of a warm CPython.\n" +
			"The ratios compare; the times are for the record. Let the machine be idle meanwhile.\n\n" +
			"--soak runs programs of all kinds in place of that, 8 at once, and looks after each tenth\n" +
			"at errors, memory, descriptors, zombies and times; the exit status is 1 if anything grew,\n" +
			"stayed behind, or failed without the program's doing. 100000 is an hour's worth of load;\n" +
			"below 10000 the times are not judged.",
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			asJSON := flags.Bool("json", false, "print one JSON object")
			runs := flags.Int("runs", 300, "take each figure `N` times, 10 to 100000")
			soak := flags.Int("soak", 0, "run `N` programs, 100 to 10000000, and see what becomes of the executor")
			without := flags.Bool("without-sandbox", false, "measure once more with every layer off, for what the sandbox costs")
			python := flags.String("python", "", "the interpreter at `PATH`, in place of the configuration's")
			file := flags.String("config", "", "read the executor's configuration from `F`")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				if *runs < 10 || *runs > 100_000 {
					return exitOther, errors.New("--runs takes 10 to 100000")
				}
				if *soak != 0 && (*soak < 100 || *soak > 10_000_000) {
					return exitOther, errors.New("--soak takes 100 to 10000000")
				}
				if *soak != 0 && *without {
					return exitOther, errors.New("--soak and --without-sandbox do not go together")
				}
				loaded, err := config.Load(*file)
				if err != nil {
					return exitOther, err
				}
				cfg := loaded.Sidecar()
				if *python != "" {
					cfg.Python = *python
				}
				ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
				defer stop()
				if *soak != 0 {
					return soakExecutor(ctx, cfg, *soak, *asJSON, io)
				}
				options := bench.Options{Runs: *runs, WithoutSandbox: *without, Progress: progress(*asJSON, io)}
				report, err := bench.Run(ctx, cfg, options)
				if err != nil {
					return exitOther, err
				}
				if *asJSON {
					return exitOK, json.NewEncoder(io.out).Encode(report)
				}
				fmt.Fprintln(io.out)
				report.Print(io.out)
				return exitOK, nil
			}
		},
	}
}

// progress is where a person who waits is told how far it is.
func progress(asJSON bool, io stdio) io.Writer {
	if asJSON {
		return nil
	}
	return io.out
}

func soakExecutor(ctx context.Context, cfg config.SidecarConfig, runs int, asJSON bool, io stdio) (int, error) {
	report, err := bench.Soak(ctx, cfg, bench.SoakOptions{Runs: runs, Progress: progress(asJSON, io)})
	if err != nil {
		return exitOther, err
	}
	status := exitOK
	if !report.Flat() {
		status = exitProgram
	}
	if asJSON {
		return status, json.NewEncoder(io.out).Encode(report)
	}
	fmt.Fprintln(io.out)
	report.Print(io.out)
	return status, nil
}
