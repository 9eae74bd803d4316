package config

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const referenceFile = "../docs/configuration.md"

// A page that is written by hand drifts from the parser; this one comes from its table.
func TestReferencePageSaysWhatTheParserDoes(t *testing.T) {
	want := reference()
	if *Update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale (go test ./config -update rewrites it):\n%s", referenceFile, diff)
	}
}

// A default that its own rule refuses, or a row that lacks what the reader needs, would
// show up only when somebody writes the default down.
func TestEveryRowOfTheTableIsComplete(t *testing.T) {
	defaults := Default()
	for _, k := range keys {
		t.Run(k.path, func(t *testing.T) {
			if k.doc == "" || k.unit == "" || k.accepts == "" || k.readers == 0 {
				t.Error("lacks a doc, a unit, what it accepts, or a reader")
			}
			if parent := k.path[:strings.LastIndexByte(k.path, '.')]; findSection(parent) == nil {
				t.Errorf("no section %q", parent)
			}
			if err := k.recheck(new(Config), defaults); err != nil {
				t.Errorf("its own default: %v", err)
			}
			for _, name := range k.env {
				if !strings.HasPrefix(name, "CODEMODE_") {
					t.Errorf("variable %s", name)
				}
			}
		})
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Written by "go test ./config -update" from the table in config/keys.go. -->

An application and its executor are configured by one file, ` + "`codemode.yaml`" + `, by environment
variables, or by both. Every key has a default, so neither is required. ` + "`codemode init`" + ` writes the
commented file at the end of this page, and ` + "`codemode validate`" + ` checks one.

## Which value counts

1. an explicit option: a flag of a command, or an option that a program passes;
2. the environment variable, if it is set to something;
3. the file;
4. the default.

Where a default depends on another key, it follows that key's final value.

The file is the one named explicitly (` + "`--config`" + `, ` + "`config.Load(path)`" + `), else the one that
` + "`CODEMODE_CONFIG`" + ` names, else ` + "`codemode.yaml`" + ` in the working directory if there is one.
` + "`config.FromEnv`" + ` reads a file only if ` + "`CODEMODE_CONFIG`" + ` names it.

## How values are written

| unit | what is accepted |
|---|---|
| duration | A bare number is seconds (` + "`30`, `1.5`" + `); else a Go duration (` + "`30s`, `1m30s`, `250ms`" + `). |
| size | A bare number is bytes. ` + "`Ki`, `Mi`, `Gi`, `Ti`" + ` (or ` + "`KiB`" + ` ...) count in 1024s, and so do ` + "`k`, `m`, `g`, `t`" + `, as Docker writes them. ` + "`KB`, `MB`, `GB`, `TB`" + ` count in 1000s. ` + "`512M`" + ` is refused: Docker and Kubernetes disagree on it. |
| count | A whole number, without leading zeros. |
| flag | ` + "`true` or `false`" + `; in the environment, ` + "`1` and `0`" + ` as well. |
| secret | Printable ASCII without spaces, at most 1024 characters. It is shown in no error, log or printed configuration. |
| address | ` + "`embedded`, `unix:///path/to/socket`, `http://host:port`, `https://host[:port]`, `dns:///host:port`" + `. |
| path | A file or directory; a relative one counts from the working directory. |

In the values of the file, and only there, ` + "`${NAME}`" + ` is replaced by an environment variable,
` + "`${NAME:-default}`" + ` by its default if the variable is unset or empty, and ` + "`$$`" + ` by a dollar sign.
` + "`${NAME}`" + ` for a variable that is unset or empty is an error. What a variable holds is taken as text: it is
not expanded again, and it cannot add keys. A key without a default that comes out empty counts as not set,
so ` + "`api_key: ${CODEMODE_API_KEY:-}`" + ` says "if there is one".

An unknown key, a key that is there twice, a wrong unit, a value out of range, a YAML tag, a merge key or a second
document is an error. All errors are reported at once, each with file, line and column. A file is at most 1 MiB.

## The two halves

*Client* keys are for the application that calls an executor, *executor* keys for the process that runs programs; with
` + "`executor.url: embedded`" + ` that is one process. A process that is only one of the two (` + "`codemode serve`, `config.ClientFromEnv`, `config.SidecarFromEnv`, `config.LoadSidecar`" + `)
does not look at the other's environment variables, nor an executor at mcp_servers and openapi, so each needs only its own secrets. *Nobody* acts on a key that is there for people to read.

`)
	for _, s := range sections {
		rows := directKeys(s.path)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n", s.path)
		b.WriteString(s.doc + "\n\n")
		b.WriteString("| key | unit | accepted | default | environment variable | read by | |\n|---|---|---|---|---|---|---|\n")
		for _, k := range rows {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n",
				k.path, k.unit, cmp.Or(k.span, k.accepts), defaultOf(k), codes(k.env), readersOf(k.readers), k.doc)
		}
		b.WriteString("\n")
	}
	writeEntryKeys(&b, serversPath, serverKeys)
	writeEntryKeys(&b, openAPIPath, openAPIKeys)
	b.WriteString("## Environment variables\n\n| variable | key |\n|---|---|\n")
	for _, v := range otherVariables {
		fmt.Fprintf(&b, "| `%s` | %s |\n", v.name, v.doc)
	}
	for _, name := range variables() {
		var paths []string
		for _, k := range keys {
			for i, env := range k.env {
				if env != name {
					continue
				}
				path := "`" + k.path + "`"
				if i > 0 {
					path += " if `" + k.env[0] + "` is not set"
				}
				paths = append(paths, path)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.Join(paths, "; "))
	}
	b.WriteString("\n## The file that `codemode init` writes\n\n```yaml\n" + string(Init()) + "```\n")
	return b.String()
}

// directKeys are the keys of a section, without those of sections inside it.
func directKeys(path string) []key {
	var rows []key
	for _, k := range keys {
		if k.path[:strings.LastIndexByte(k.path, '.')] == path {
			rows = append(rows, k)
		}
	}
	return rows
}

// variables lists each variable once, in the table's order.
func variables() []string {
	var names []string
	seen := map[string]bool{}
	for _, k := range keys {
		for _, name := range k.env {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

func defaultOf(k key) string {
	switch {
	case k.derived != "":
		return k.derived
	case k.initial != "":
		return "`" + k.initial + "`"
	}
	return "not set"
}

func codes(names []string) string {
	var quoted []string
	for _, n := range names {
		quoted = append(quoted, "`"+n+"`")
	}
	return strings.Join(quoted, ", else ")
}

func readersOf(r readers) string {
	var who []string
	if r&readByClient != 0 {
		who = append(who, "client")
	}
	if r&readBySidecar != 0 {
		who = append(who, "executor")
	}
	if r&readByPeople != 0 {
		who = append(who, "nobody")
	}
	return strings.Join(who, ", ")
}

func writeEntryKeys[T any](b *strings.Builder, section string, keys []entryKey[T]) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", section, findSection(section).doc)
	b.WriteString("| key | accepted | |\n|---|---|---|\n")
	for _, k := range keys {
		fmt.Fprintf(b, "| `%s.NAME.%s` | %s | %s |\n", section, k.name, k.accepts, k.doc)
	}
	b.WriteString("\n")
}
