package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/codemode-sdk/codemode"
)

// Each attack is a program that begins with a comment on what it tries, and whose last
// line of output is HELD, or ESCAPED and what got through. prelude.py goes before each.
//
//go:embed attacks/*.py
var attackFiles embed.FS

const preludeFile = "attacks/prelude.py"

type attack struct {
	name   string
	tries  string // the header comment
	source string
	runs   int
}

type outcome string

const (
	held    outcome = "held"
	escaped outcome = "escaped"
	unclear outcome = "unclear" // the attack came to no verdict
)

// A verdict is what became of one attack.
type verdict struct {
	Name    string  `json:"name"`
	Tries   string  `json:"tries"`
	Outcome outcome `json:"outcome"`
	// Detail says what got through, or what stopped the attempts.
	Detail string `json:"detail"`
	// Seen is what the attack printed: a line for each attempt.
	Seen []string `json:"seen"`
}

func attacks() []attack {
	names, err := fs.Glob(attackFiles, "attacks/*.py")
	if err != nil {
		panic(err) // a bad pattern, which the tests would find
	}
	var list []attack
	for _, name := range names {
		if name == preludeFile {
			continue
		}
		source := attackSource(name)
		a := attack{name: strings.TrimSuffix(strings.TrimPrefix(name, "attacks/"), ".py"), source: source, runs: 1}
		for line := range strings.Lines(source) {
			text, comment := strings.CutPrefix(line, "#")
			if !comment {
				break
			}
			a.tries = strings.TrimSpace(a.tries + " " + strings.TrimSpace(text))
		}
		if strings.Contains(a.tries, "runs it twice") {
			a.runs = 2
		}
		list = append(list, a)
	}
	return list
}

func attackSource(name string) string {
	source, err := attackFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is linked into the program
	}
	return string(source)
}

// program is the attack with what it needs to know of its target.
func (a attack) program(t target) (string, error) {
	aim, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return "target = " + string(aim) + "\n" + attackSource(preludeFile) + a.source, nil
}

// try runs the attack; an error means that the executor cannot be used.
func (a attack) try(ctx context.Context, c *codemode.Codemode, lure *lure) (verdict, error) {
	v := verdict{Name: a.name, Tries: a.tries, Outcome: held}
	program, err := a.program(lure.target)
	if err != nil {
		return v, err
	}
	before := lure.taken()
	for range a.runs {
		result, err := c.Execute(ctx, program)
		if err != nil {
			return v, err
		}
		v.judge(result)
	}
	if seen := lure.taken() - before; seen > 0 {
		v.Outcome, v.Detail = escaped, fmt.Sprintf("%d connections or packets arrived at the doctor", seen)
	}
	if looked, remains := lure.survivors(); looked && remains != "" {
		v.Outcome, v.Detail = escaped, remains
	}
	if v.Outcome == held {
		v.Detail = summary(v.Seen)
	}
	return v, nil
}

// judge believes only a program that came to its end and said so.
func (v *verdict) judge(result *codemode.Result) {
	lines := strings.Split(strings.TrimSpace(result.Stdout), "\n")
	last := lines[len(lines)-1]
	v.Seen = append(v.Seen, lines...)
	through, broke := strings.CutPrefix(last, "ESCAPED ")
	switch {
	case broke:
		v.Outcome, v.Detail = escaped, through
	case last == "HELD" && result.Status == codemode.StatusOK, v.Outcome == escaped:
	default:
		v.Outcome, v.Detail = unclear, "it ended with status "+string(result.Status)
		if result.Error != nil {
			v.Detail += ": " + result.Error.Type + ": " + result.Error.Message
		}
	}
}

// summary counts the exceptions that stopped the attempts.
func summary(seen []string) string {
	counts := map[string]int{}
	var order []string
	for _, line := range seen {
		_, rest, found := strings.Cut(line, ": ")
		kind, _, exception := strings.Cut(rest, ": ")
		if !found || !exception || strings.Contains(kind, " ") {
			continue
		}
		if counts[kind]++; counts[kind] == 1 {
			order = append(order, kind)
		}
	}
	for i, kind := range order {
		order[i] = fmt.Sprintf("%d %s", counts[kind], kind)
	}
	return strings.Join(order, ", ")
}
