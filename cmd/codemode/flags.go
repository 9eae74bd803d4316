package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/codemode-sdk/codemode/config"
)

var errHelp = flag.ErrHelp

// A flagSet is the flags of one command, which may stand before and after its positional
// arguments.
type flagSet struct {
	*flag.FlagSet
	command command
}

func newFlagSet(c command) *flagSet {
	f := &flagSet{flag.NewFlagSet(c.name, flag.ContinueOnError), c}
	f.SetOutput(io.Discard) // errors are reported by run, in one line
	f.Usage = func() {}
	return f
}

// parse gives the positional arguments. What follows "--" is none of the flags.
func (f *flagSet) parse(args []string) (positional []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, f.explain(err)
		}
		rest := f.Args()
		if len(rest) == 0 {
			return positional, nil
		}
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			return append(positional, rest...), nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
}

// explain adds the flag that may have been meant.
func (f *flagSet) explain(err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if errors.Is(err, flag.ErrHelp) || !unknown {
		return err
	}
	name = strings.TrimPrefix(name, "-")
	var names []string
	f.VisitAll(func(known *flag.Flag) { names = append(names, "--"+known.Name) })
	return fmt.Errorf("unknown flag --%s%s (codemode help %s lists the flags)", name, didYouMean("--"+name, names), f.command.name)
}

func (f *flagSet) help(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: codemode %s\n\n%s\n", f.command.usage, f.command.summary)
	if f.command.help != "" {
		b.WriteString("\n" + strings.TrimSpace(f.command.help) + "\n")
	}
	separator := "\n"
	f.VisitAll(func(known *flag.Flag) {
		value, text := flag.UnquoteUsage(known)
		fmt.Fprintf(&b, "%s  %-16s %s\n", separator, strings.TrimSpace("--"+known.Name+" "+value), text)
		separator = ""
	})
	// Nothing is left to try where even the help cannot be written.
	_, _ = io.WriteString(w, b.String())
}

// given says whether a flag was set on the command line.
func (f *flagSet) given(name string) bool {
	found := false
	f.Visit(func(set *flag.Flag) { found = found || set.Name == name })
	return found
}

// overrides gives a config.Override for each flag that was set, by the key it stands for.
func (f *flagSet) overrides(keys map[string]string) []config.Override {
	var list []config.Override
	f.Visit(func(set *flag.Flag) {
		if key, ok := keys[set.Name]; ok {
			list = append(list, config.Override{Key: key, Value: set.Value.String(), Source: "--" + set.Name})
		}
	})
	return list
}

// texts is a flag that may be repeated.
type texts []string

func (t *texts) String() string { return strings.Join(*t, " ") }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

// none refuses positional arguments.
func none(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}
