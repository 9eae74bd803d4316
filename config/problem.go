package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A Problem is one thing wrong with a configuration.
type Problem struct {
	// File, Line and Column (both from 1) say where in a file. Zero if unknown or not
	// from a file.
	File         string
	Line, Column int
	// Source names the environment variable or the option, if it is not from a file.
	Source string
	// Key is the dotted path of the key, such as executor.limits.threads. Empty if the
	// problem is not with one key.
	Key string
	// Message says what is wrong and what would be right.
	Message string
}

// Error gives "file:line:column: key: message", without the parts that are not known.
func (p *Problem) Error() string {
	var b strings.Builder
	switch {
	case p.File != "":
		b.WriteString(p.File)
		for _, n := range []int{p.Line, p.Column} {
			if n == 0 {
				break
			}
			fmt.Fprintf(&b, ":%d", n)
		}
		b.WriteString(": ")
	case p.Source != "":
		b.WriteString(p.Source + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems gives the parts of an error of this package: first those of the file, in the
// order of its lines. It gives nil for an error that is not about what a configuration
// says, such as a file that cannot be read.
func Problems(err error) []*Problem {
	if all, ok := errors.AsType[*problems](err); ok {
		return slices.Clone(all.list)
	}
	return nil
}

// problems gathers everything wrong, so that a reader mends a file once.
type problems struct{ list []*Problem }

func (ps *problems) add(p *Problem) { ps.list = append(ps.list, p) }

// Error gives one problem per line, under a line that counts them.
func (ps *problems) Error() string {
	lines := make([]string, len(ps.list))
	for i, p := range ps.list {
		lines[i] = p.Error()
	}
	if len(lines) == 1 {
		return lines[0]
	}
	return fmt.Sprintf("%d problems:\n%s", len(lines), strings.Join(lines, "\n"))
}

func (ps *problems) Unwrap() []error {
	errs := make([]error, len(ps.list))
	for i, p := range ps.list {
		errs[i] = p
	}
	return errs
}

// err gives the problems as the module's error type, or nil if there are none.
func (ps *problems) err(what string) error {
	if len(ps.list) == 0 {
		return nil
	}
	sorted := &problems{slices.Clone(ps.list)}
	slices.SortStableFunc(sorted.list, func(a, b *Problem) int {
		if (a.File == "") != (b.File == "") {
			return cmp.Compare(b.File, a.File)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fault.Wrap(fault.Config, sorted, "%s cannot be used", what)
}

// cite shows a value in a message, unless it could carry a password.
func cite(value string) string {
	if strings.Contains(value, "@") {
		return "the value"
	}
	return quote(value)
}

// quote shows a foreign text in a message, bounded and on one line.
func quote(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
