// Command codemode runs Python programs in a sandboxed executor, serves one, and shows
// what a model would be told about a set of tools.
//
//	echo 'print("hi"); 1+1' | codemode exec --json -
//
// codemode help lists the commands.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	// So that "auto" finds a CPython on a machine that has none.
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// What the process ends with.
const (
	exitOK      = 0
	exitProgram = 1 // the program's doing: it failed, or an attack got through
	exitOther   = 2 // everything else: flags, files, configuration, sandbox, executor
)

func main() {
	os.Exit(run(os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is what a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// A command is one word of the command line.
type command struct {
	name    string
	usage   string // what follows "codemode"
	summary string // one line, for the list of commands
	help    string // what there is to say beyond the flags; may be empty
	// prepare declares the flags and gives the function to call once they are parsed,
	// which takes the positional arguments and gives the exit status.
	prepare func(flags *flagSet, io stdio) func(args []string) (int, error)
}

func commands() []command {
	return []command{
		initCommand(), validateCommand(), serveCommand(), execCommand(),
		describeCommand(), doctorCommand(), benchCommand(), versionCommand(),
	}
}

// run is the whole program but for the end of the process.
func run(args []string, io stdio) int {
	if len(args) == 0 {
		overview(io.err)
		return exitOther
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return help(rest, io)
	case "-version", "--version":
		name = "version"
	}
	c, err := findCommand(name)
	if err != nil {
		return report(io, "codemode", err)
	}
	flags := newFlagSet(c)
	action := c.prepare(flags, io)
	positional, err := flags.parse(rest)
	if errors.Is(err, errHelp) {
		flags.help(io.out)
		return exitOK
	}
	if err != nil {
		return report(io, "codemode "+c.name, err)
	}
	status, err := action(positional)
	if err != nil {
		return max(status, report(io, "codemode "+c.name, err))
	}
	return status
}

// report tells what went wrong; errors of the module name the remedy.
func report(io stdio, who string, err error) int {
	fmt.Fprintf(io.err, "%s: %v\n", who, err)
	return exitOther
}

func findCommand(name string) (command, error) {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return command{}, fmt.Errorf("unknown command %q%s (codemode help lists the commands)", name, didYouMean(name, append(names, "help")))
}

func help(args []string, io stdio) int {
	if len(args) == 0 {
		overview(io.out)
		return exitOK
	}
	if len(args) > 1 {
		return report(io, "codemode help", errors.New("takes one command at a time"))
	}
	c, err := findCommand(args[0])
	if err != nil {
		return report(io, "codemode help", err)
	}
	flags := newFlagSet(c)
	c.prepare(flags, io)
	flags.help(io.out)
	return exitOK
}

func overview(w io.Writer) {
	var b strings.Builder
	b.WriteString("codemode runs Python programs that call tools, in a sandbox.\n\nusage: codemode COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.summary)
	}
	b.WriteString("\ncodemode help COMMAND says more. Configuration: codemode.yaml, or --config, and CODEMODE_* variables.\n")
	// Nothing is left to try where even the help cannot be written.
	_, _ = io.WriteString(w, b.String())
}
