package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/registry"
)

// maxProgram bounds what is read of a program; the executor's own limit is lower.
const maxProgram = 16 << 20

func execCommand() command {
	return command{
		name:    "exec",
		usage:   "exec [flags] FILE|-",
		summary: "runs one Python program in the sandbox",
		help: `
The program comes from FILE, or from standard input for "-". It runs on the executor
that the configuration or CODEMODE_EXECUTOR_URL and CODEMODE_EXECUTOR_API_KEY name, else
on one inside this process. Its output appears as it is written, then its result.

Exit status: 0 when the program came to its end, 1 when it failed, 2 for everything that
is not its doing.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			asJSON := flags.Bool("json", false, "print the whole result as one JSON object, and nothing else")
			file := flags.String("config", "", "configure from `FILE` in place of codemode.yaml")
			flags.String("timeout", "", "bound the whole run to `TIME`, such as 30s")
			flags.String("memory", "", "bound the program's memory to `SIZE`, such as 512Mi")
			artifacts := flags.String("artifacts", "", "write the files that the program leaves below `DIR`; on an executor in this process it finds where to leave them in os.environ['CODEMODE_OUTPUTS']")
			var lists texts
			flags.Var(&lists, "tools", "let the program see the tools of `LIST`, a file of JSON or a directory of such; may be repeated")
			var servers mcpServers
			servers.declare(flags)
			return func(args []string) (int, error) {
				if len(args) != 1 {
					return exitOther, fmt.Errorf("takes one program: a file, or - for standard input (%d given)", len(args))
				}
				overrides := flags.overrides(map[string]string{
					"timeout": "executor.limits.code_timeout", "memory": "executor.limits.memory_limit",
				})
				loaded, err := config.Load(*file, overrides...)
				if err != nil {
					return exitOther, err
				}
				code, err := readProgram(args[0], io.in)
				if err != nil {
					return exitOther, err
				}
				x := execution{io: io, json: *asJSON, code: code, config: loaded, tools: registry.New(), artifacts: *artifacts}
				if *artifacts != "" {
					showOutputs(loaded)
					// What it cannot write, it says before the program does anything.
					if err := writeArtifacts(*artifacts, nil, io.err); err != nil {
						return exitOther, err
					}
				}
				// Only what was asked for on the command line is asked of the executor: its
				// own limits are its own affair.
				if flags.given("timeout") {
					x.limits.Timeout = loaded.Executor.Limits.CodeTimeout
				}
				if flags.given("memory") {
					x.limits.MemoryBytes = loaded.Executor.Limits.Memory
				}
				notes, err := registerLists(x.tools, lists)
				if err != nil {
					return exitOther, err
				}
				for _, note := range notes {
					fmt.Fprintf(io.err, "codemode exec: %s\n", note)
				}
				if err := servers.attach(x.tools, io.err, max(loaded.Log.Level, slog.LevelWarn)); err != nil {
					return exitOther, err
				}
				return x.run()
			}
		},
	}
}

// readProgram reads a file, or in for "-".
func readProgram(path string, in io.Reader) (string, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("cannot read the program: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxProgram+1))
	if err != nil {
		return "", fmt.Errorf("cannot read the program: %w", err)
	}
	if len(data) > maxProgram {
		return "", fmt.Errorf("the program has more than %d MiB", maxProgram>>20)
	}
	// Editors put a byte order mark in front, which Python ignores in a file.
	return string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), nil
}

// An execution is one run of codemode exec.
type execution struct {
	io     stdio
	json   bool
	code   string
	config *config.Config
	tools  *registry.Registry
	limits codemode.Limits
	// artifacts is the directory to write the run's files to; empty for nowhere.
	artifacts string
	// midLine is true if the program's last output did not end its line.
	midLine bool
	broken  error // why output could not be written
}

func (x *execution) run() (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	result, err := x.execute(ctx)
	if x.json {
		err = errors.Join(err, x.printJSON(result))
	} else if err == nil {
		err = errors.Join(x.broken, x.printResult(result))
	}
	if x.artifacts != "" && result != nil {
		err = errors.Join(err, writeArtifacts(x.artifacts, result.Artifacts, x.io.err))
	}
	switch {
	case err != nil:
		return exitOther, err
	case result.Status == codemode.StatusOK:
		return exitOK, nil
	case result.Status == codemode.StatusCancelled || result.Status == codemode.StatusRejected:
		return exitOther, fmt.Errorf("the run was %s", result.Status)
	}
	return exitProgram, nil
}

// execute gives a result in any case.
func (x *execution) execute(ctx context.Context) (*codemode.Result, error) {
	executor := &x.config.Executor
	// Nobody listens on anything here, so where an executor would listen does not matter.
	executor.Server, executor.Callback = config.Default().Executor.Server, config.Callback{}
	// There is one program, for which the worker that proves the sandbox is kept.
	executor.Pool.MinReady = 0
	// The client must not give up before the executor does.
	executor.Timeout = max(executor.Timeout, executor.Limits.CodeTimeout+executor.Pool.QueueTimeout+5*time.Second)
	options := codemode.Options{
		Registry: x.tools, Config: x.config,
		Logger: slog.New(slog.NewTextHandler(x.io.err, &slog.HandlerOptions{Level: max(x.config.Log.Level, slog.LevelWarn)})),
	}
	c, err := codemode.New(options)
	if err != nil {
		return &codemode.Result{
			Status: codemode.StatusRejected,
			Error:  &codemode.ProgramError{Type: "Rejected", Message: err.Error()},
		}, err
	}
	request := codemode.Request{Code: x.code, Limits: x.limits}
	if !x.json {
		request.OnEvent = x.show
	}
	result, err := c.ExecuteRequest(ctx, request)
	return result, errors.Join(err, c.Close())
}

// show passes the program's output on as it appears.
func (x *execution) show(event codemode.Event) {
	for _, part := range []struct {
		text string
		to   io.Writer
	}{{event.Stdout, x.io.out}, {event.Stderr, x.io.err}} {
		if part.text == "" {
			continue
		}
		if _, err := io.WriteString(part.to, part.text); err != nil && x.broken == nil {
			x.broken = fmt.Errorf("cannot write the output: %w", err)
		}
		x.midLine = !strings.HasSuffix(part.text, "\n")
	}
}

func (x *execution) printJSON(result *codemode.Result) error {
	data, err := json.Marshal(result)
	if err == nil {
		_, err = x.io.out.Write(append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	return nil
}

// printResult prints what the program came to, after its output.
func (x *execution) printResult(result *codemode.Result) error {
	if result.Truncated {
		fmt.Fprintln(x.io.err, "codemode exec: more output was cut off (limits.output_size)")
	}
	to, text := x.io.out, ""
	switch {
	case result.Status != codemode.StatusOK:
		to, text = x.io.err, failure(result)
	case result.Value != nil:
		shown, err := showValue(result.Value)
		if err != nil {
			return err
		}
		text = shown + "\n"
	}
	if x.midLine && text != "" {
		text = "\n" + text
	}
	if _, err := io.WriteString(to, text); err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	return nil
}

// showValue gives a string as it is and everything else as JSON.
func showValue(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value.Plain(v)); err != nil {
		return "", fmt.Errorf("the result has no form in JSON: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// bounds say which setting a program has run into.
var bounds = map[codemode.Status]string{
	codemode.StatusTimeout:     " (--timeout, or executor.limits.code_timeout of the executor)",
	codemode.StatusMemoryLimit: " (--memory, or executor.limits.memory_limit of the executor)",
}

// failure says why a program did not come to its end: Python's traceback where there is
// one, and the status where the exception does not say it all.
func failure(result *codemode.Result) string {
	var b strings.Builder
	problem := result.Error
	if problem == nil {
		problem = &codemode.ProgramError{}
	}
	if problem.Traceback != "" {
		b.WriteString(strings.TrimRight(problem.Traceback, "\n") + "\n")
	}
	switch {
	case result.Status != codemode.StatusError:
		fmt.Fprintf(&b, "codemode exec: status %s: %s%s\n", result.Status, problem.Message, bounds[result.Status])
	case problem.Type == "SystemExit":
		fmt.Fprintf(&b, "codemode exec: %s\n", problem.Message)
	case problem.Traceback == "":
		fmt.Fprintf(&b, "%s: %s\n", problem.Type, problem.Message)
	}
	return b.String()
}
