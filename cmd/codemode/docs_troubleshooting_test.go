package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// othersWords are what a reader sees that is not codemode's own: the kernel's, Python's,
// Docker's.
var othersWords = []string{"connection refused", "PermissionError", "ModuleNotFoundError", "did not start (Exited (2)"}

// Who looks for a message in the documentation finds it as it is said: every one that a
// page quotes is in the source.
func TestTheDocumentationQuotesMessagesAsTheyAreSaid(t *testing.T) {
	var source bytes.Buffer
	if err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	said := strings.NewReplacer(`\"`, `"`).Replace(source.String())
	quoted := 0
	for _, page := range []string{"troubleshooting.md", "tls.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllSubmatch(text, -1) {
		messages:
			for _, message := range regexp.MustCompile("`([^`]+)`").FindAllSubmatch(row[1], -1) {
				for _, others := range othersWords {
					if string(message[1]) == others {
						continue messages
					}
				}
				for part := range strings.SplitSeq(string(message[1]), "...") {
					quoted++
					if part = strings.TrimSpace(part); !strings.Contains(said, part) {
						t.Errorf("%s quotes %q, which nothing says", page, part)
					}
				}
			}
		}
	}
	if quoted < 30 {
		t.Errorf("only %d messages", quoted)
	}
}
