package codemode_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// What docs/description.md shows is what happens.
func TestTheGuideToTheDescriptionIsTrue(t *testing.T) {
	const path = "docs/description.md"
	examples, err := os.ReadFile("ways_example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	// Go runs as an example, of which it is a part, and so does the tool that is shown.
	var b strings.Builder
	for line := range strings.Lines(string(examples)) {
		line = strings.TrimPrefix(line, "\t")
		if comment, found := strings.CutPrefix(line, "//"); found {
			line = strings.TrimPrefix(comment, " ")
		}
		b.WriteString(line)
	}
	text := b.String()
	python := blocks(t, path, "python")
	for _, snippet := range append(blocks(t, path, "go"), python[0]) {
		if !strings.Contains(text, snippet) {
			t.Errorf("no example in ways_example_test.go has\n%s", snippet)
		}
	}
	reg := registry.New()
	registry.Func(reg, "shop.find", "Finds articles and their price.", func(context.Context, struct {
		Words string `json:"words"`
	}) ([]string, error) {
		return []string{"tea"}, nil
	})
	registry.Func(reg, "shop.price", "What is in stock costs this.", func(context.Context, struct {
		Article string `json:"article"`
	}) (int, error) {
		return 450, nil
	})
	cm := open(t, codemode.Options{Registry: reg})
	if got := run(t, cm, python[1]); !strings.HasPrefix(got.Stdout, "tools.shop.price(article)") || !strings.Contains(got.Stdout, "Finds articles") {
		t.Errorf("the searches printed\n%s", got.Stdout)
	}
	result, err := cm.Execute(t.Context(), python[2])
	if err != nil || result.Status != codemode.StatusError || len(result.ToolCalls) > 0 {
		t.Fatalf("%v, %d calls: %s", err, len(result.ToolCalls), result.Text())
	}
	for _, part := range []string{"'word'", "did you mean 'words'", "pirce", "price", "line 1", "line 2"} {
		if !strings.Contains(result.Text(), part) {
			t.Errorf("the check says nothing of %s:\n%s", part, result.Text())
		}
	}
}

func TestTheGuidesCommandsDescribeAListOfTools(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	t.Parallel()
	dir := t.TempDir()
	builtCommand(t, "go build ./cmd/codemode", dir)
	if err := os.WriteFile(filepath.Join(dir, "tools.json"), []byte(`{"tools":[{"name":"find","inputSchema":{"properties":{"words":{"type":"string"}}}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(blocks(t, "docs/description.md", "sh")[0]) {
		if out := shell(t, dir, line); !strings.Contains(out, "def find(") {
			t.Errorf("%s printed\n%s", line, out)
		}
	}
}
