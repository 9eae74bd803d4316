package schema_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/schema"
)

// The JSON Schema organisation's own test suite, as google/jsonschema-go carries it in
// its module, judges the validator that tool calls pass through.
func TestValidatorAgreesWithTheOfficialSuite(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/jsonschema-go").Output()
	if err != nil {
		t.Skip("go list does not find the module's source:", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "jsonschema", "testdata")
	files, err := filepath.Glob(filepath.Join(root, "draft*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no suite in", root)
	}
	// Other documents are not fetched, and $dynamicRef is resolved where it is written.
	skipped := map[string]bool{"refRemote.json": true, "dynamicRef.json": true, "vocabulary.json": true, "format.json": true}
	checked, refused := 0, 0
	for _, file := range files {
		if skipped[filepath.Base(file)] {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []struct {
			Description string
			Schema      json.RawMessage
			Tests       []struct {
				Description string
				Data        json.RawMessage
				Valid       bool
			}
		}
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			if strings.Contains(filepath.Dir(file), "draft7") {
				var m map[string]any
				if json.Unmarshal(g.Schema, &m) == nil && m["$schema"] == nil {
					m["$schema"] = "http://json-schema.org/draft-07/schema#"
					g.Schema, _ = json.Marshal(m)
				}
			}
			if strings.Contains(string(g.Schema), "$dynamicRef") {
				continue
			}
			s, err := schema.Parse(g.Schema)
			if err != nil {
				refused++
				t.Logf("%s: %s: %v", filepath.Base(file), g.Description, err)
				continue
			}
			for _, test := range g.Tests {
				err := s.ValidateValue(instance(t, string(test.Data)))
				if (err == nil) != test.Valid {
					t.Errorf("%s/%s: %s: %s: want valid %v, got %v", filepath.Base(filepath.Dir(file)), filepath.Base(file), g.Description, test.Description, test.Valid, err)
				}
				checked++
			}
		}
	}
	if checked < 1000 || refused > 40 {
		t.Errorf("checked %d, refused %d schemas", checked, refused)
	}
}
