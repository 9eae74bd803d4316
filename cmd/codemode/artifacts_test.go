package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
)

// Whatever the names, and whatever is in the directory, nothing is written outside it.
func TestArtifactsStayInTheirDirectory(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "file"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, artifact := range map[string]struct {
		name    string
		written bool
	}{
		"up":                   {"../file", false},
		"far up":               {"a/../../file", false},
		"absolute":             {filepath.Join(outside, "file"), false},
		"nothing":              {"", false},
		"itself":               {".", false},
		"NUL":                  {"a\x00b", false},
		"through a link":       {"link/file", false},
		"over a link":          {"file-link", true},
		"over a hard link":     {"hard", true},
		"below a file":         {"plain/x", false},
		"over a full one":      {"full", false},
		"a backslash":          {`..\file`, true},
		"an escape sequence":   {"\x1b[2J", true},
		"a name of its parent": {"deep/deep/deep", true},
	} {
		t.Run(name, func(t *testing.T) {
			directory := filepath.Join(t.TempDir(), "new")
			for _, made := range []error{
				os.MkdirAll(filepath.Join(directory, "full", "x"), 0o755),
				os.Symlink(outside, filepath.Join(directory, "link")),
				os.Symlink(filepath.Join(outside, "file"), filepath.Join(directory, "file-link")),
				os.Link(filepath.Join(outside, "file"), filepath.Join(directory, "hard")),
				os.WriteFile(filepath.Join(directory, "plain"), nil, 0o600),
			} {
				if made != nil {
					t.Fatal(made)
				}
			}
			err := writeArtifacts(directory, []codemode.Artifact{
				{Name: artifact.name, Size: 2, Data: []byte("42")}, {Name: "last", Size: 1, Data: []byte("1")},
			}, os.Stderr)
			got, read := os.ReadFile(filepath.Join(directory, artifact.name))
			if artifact.written && (err != nil || string(got) != "42") {
				t.Errorf("%q %v, %v", got, read, err)
			}
			if !artifact.written && err == nil {
				t.Error("no error")
			}
			if _, err := os.Stat(filepath.Join(directory, "last")); err != nil {
				t.Errorf("the next one: %v", err)
			}
			entries, err := os.ReadDir(outside)
			data, read := os.ReadFile(filepath.Join(outside, "file"))
			if err != nil || read != nil || len(entries) != 1 || string(data) != "mine" {
				t.Errorf("outside: %v %v %q %v", entries, err, data, read)
			}
		})
	}
}

// What the executor left out is said, in a form that does nothing to a terminal.
func TestOmittedArtifactsAreNamed(t *testing.T) {
	var said strings.Builder
	err := writeArtifacts(t.TempDir(), []codemode.Artifact{
		{Name: "big\x1b[2J", Omitted: "over the limit"}, {Omitted: "3 more files"},
	}, &said)
	const want = "codemode exec: artifact \"big\\x1b[2J\" left out: \"over the limit\"\ncodemode exec: artifacts left out: \"3 more files\"\n"
	if err != nil || said.String() != want {
		t.Errorf("%q, %v", said.String(), err)
	}
}
