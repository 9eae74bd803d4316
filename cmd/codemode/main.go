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
	// members are commands behind this one's word, such as those of "codemode docker"; a
	// command that has some has no prepare. Their names hold both words.
	members []command
}

func commands() []command {
	return []command{
		initCommand(), validateCommand(), serveCommand(), execCommand(),
		describeCommand(), mcpCommand(), doctorCommand(), benchCommand(), dockerCommand(),
		tlsCommand(), versionCommand(),
	}
}

// run is the whole program but for the end of the process.
func run(args []string, io stdio) int {
	if len(args) == 0 {
		overview(io.err)
		return exitOther
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(args[1:], io)
	case "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	}
	c, rest, err := findCommand(args)
	if err != nil {
		return report(io, "codemode", err)
	}
	if c.members != nil {
		if len(rest) > 0 { // a flag that asks for help
			membersHelp(io.out, c)
			return exitOK
		}
		membersHelp(io.err, c)
		return exitOther
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

// findCommand gives the command that one word or two name, and what follows them. It
// gives a command with members only where nothing or a request for help follows.
func findCommand(args []string) (command, []string, error) {
	c, err := among(commands(), args[0], "help", "codemode help")
	if err != nil || c.members == nil || len(args) == 1 {
		return c, args[1:], err
	}
	switch args[1] {
	case "help", "-h", "-help", "--help":
		return c, args[1:], nil
	}
	c, err = among(c.members, c.name+" "+args[1], "", "codemode help "+c.name)
	return c, args[2:], err
}

// among finds a command by its name; other is a name that is none of the list's.
func among(list []command, name, other, lister string) (command, error) {
	names := []string{other}
	for _, c := range list {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return command{}, fmt.Errorf("unknown command %q%s (%s lists the commands)", name, didYouMean(name, names), lister)
}

func help(args []string, io stdio) int {
	if len(args) == 0 || len(args) == 1 && args[0] == "help" {
		overview(io.out)
		return exitOK
	}
	c, rest, err := findCommand(args)
	if err == nil && len(rest) > 0 {
		err = errors.New("takes one command at a time")
	}
	if err != nil {
		return report(io, "codemode help", err)
	}
	if c.members != nil {
		membersHelp(io.out, c)
		return exitOK
	}
	flags := newFlagSet(c)
	c.prepare(flags, io)
	flags.help(io.out)
	return exitOK
}

func membersHelp(w io.Writer, c command) {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: codemode %s\n\n%s\n", c.usage, c.summary)
	if c.help != "" {
		b.WriteString("\n" + strings.TrimSpace(c.help) + "\n")
	}
	b.WriteString("\n")
	for _, member := range c.members {
		fmt.Fprintf(&b, "  %-19s %s\n", member.name, member.summary)
	}
	fmt.Fprintf(&b, "\ncodemode help %s COMMAND says more.\n", c.name)
	// Nothing is left to try where even the help cannot be written.
	_, _ = io.WriteString(w, b.String())
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
