package schema_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/schema"
)

var fuzzSeeds = []string{
	`{"properties":{"a":{"type":"dict"},"from":{"enum":["x",1,null,1.5]}},"required":["a","b"]}`,
	`{"$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"},"x-y":{"const":"\"\"\""}}}},"properties":{"n":{"$ref":"#/$defs/n"}}}`,
	`{"anyOf":[{"required":["a"]},{"properties":{"b":{"type":"array","prefixItems":[{},true],"items":false}}}],"description":"\\\"\"\"\n#"}`,
	`{"allOf":[{"$ref":"#/definitions/x"}],"definitions":{"x":{"properties":{"__a":{"default":1e400},"a b":{"type":["string","null"],"format":"date-time"}},"additionalProperties":{"type":"int"}}}}`,
	`{"properties":{"a":{"anyOf":[{"$ref":"#/properties/a/items"},{"type":"string"}],"items":{"type":"array","items":{"$ref":"#/properties/a"}}}}}`,
	`{"if":{"properties":{"k":{"const":1}}},"then":{"required":["z"]},"unevaluatedProperties":false,"dependentRequired":{"a":["b"]},"not":{"required":["q"]}}`,
}

// keysOnALine is a class as an outline writes it, whose keys a semicolon separates.
var keysOnALine = regexp.MustCompile(`^class \w+\(TypedDict\): \w`)

// quoteState runs Python's rules for strings and comments over a text and says what of
// it is not closed, or which character may not stand outside of them.
func quoteState(text string) string {
	brackets := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == '"' || c == '\'':
			end := string(c)
			if strings.HasPrefix(text[i:], strings.Repeat(end, 3)) {
				end = strings.Repeat(end, 3)
			}
			i += len(end)
			for ; i < len(text) && !strings.HasPrefix(text[i:], end); i++ {
				if text[i] == '\\' {
					i++
				} else if text[i] == '\n' && len(end) == 1 {
					return "a string runs over the end of its line"
				}
			}
			if i >= len(text) {
				return "a string is not closed"
			}
			i += len(end) - 1
		case strings.IndexByte("([{", c) >= 0:
			brackets++
		case strings.IndexByte(")]}", c) >= 0:
			brackets--
		case c == ';' && keysOnALine.MatchString(text[strings.LastIndexByte(text[:i], '\n')+1:]):
		case c < ' ' && c != '\n', strings.IndexByte(";\\`$?!", c) >= 0:
			return "stray " + string(rune(c))
		}
		if brackets < 0 {
			return "a bracket too many"
		}
	}
	if brackets != 0 {
		return "a bracket is not closed"
	}
	return ""
}

func FuzzStub(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add("tool.name", "Description", s)
	}
	// What is found interesting can be kept for a check by CPython: see the test below.
	keep := os.Getenv("CODEMODE_FUZZ_KEEP")
	f.Fuzz(func(t *testing.T, name, description, doc string) {
		s, err := schema.Parse(json.RawMessage(doc))
		if err != nil {
			return
		}
		again, err := schema.Parse(s.JSON())
		if err != nil {
			t.Fatalf("what JSON gives is refused: %v\n%s", err, s.JSON())
		}
		if !bytes.Equal(again.JSON(), s.JSON()) {
			t.Fatalf("normalising twice changes the document:\n%s\n%s", s.JSON(), again.JSON())
		}
		seen := map[string]bool{}
		for _, p := range s.Parameters() {
			if seen[p.PythonName] || schema.PythonName(p.PythonName) != p.PythonName && p.PythonName != "run" && p.PythonName != "arun" {
				t.Fatalf("parameter %q is spelled %q", p.Name, p.PythonName)
			}
			seen[p.PythonName] = true
		}
		text, err := schema.Stub(name, description, s, s)
		if err != nil {
			return
		}
		if bad := quoteState(text); bad != "" {
			t.Fatalf("%s:\n%s", bad, text)
		}
		module, err := schema.Module([]schema.ToolDoc{{Name: name, Description: description, In: s, Out: s}, {Name: "a." + name, In: s}})
		if err != nil {
			t.Fatal(err)
		}
		if bad := quoteState(module); bad != "" {
			t.Fatalf("%s:\n%s", bad, module)
		}
		for _, brief := range []bool{false, true} {
			outline, err := schema.Outline([]schema.ToolDoc{{Name: name, Description: description, In: s, Out: s}, {Name: "a." + name, In: s}}, brief)
			if err != nil {
				t.Fatal(err)
			}
			if bad := quoteState(outline); bad != "" {
				t.Fatalf("%s:\n%s", bad, outline)
			}
		}
		line, err := schema.Signature(schema.ToolDoc{Name: name, Description: description, In: s, Out: s})
		if err != nil || strings.ContainsAny(line, "\n\r") {
			t.Fatalf("%v: %q", err, line)
		}
		for _, p := range s.Parameters() {
			if p.Required && !strings.Contains(text, p.PythonName+": ") {
				t.Fatalf("no %s in\n%s", p.PythonName, text)
			}
		}
		if keep != "" {
			_ = os.WriteFile(filepath.Join(keep, "m"+hash(module)+".py"), []byte(module), 0o600)
		}
	})
}

func hash(s string) string {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return strings.ToLower(strings.TrimLeft(string(json.Number(bigText(h))), "-"))
}

func bigText(h uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[i] = digits[h>>(60-4*i)&15]
	}
	return string(b[:])
}

func FuzzValidate(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s, `{"a":{"b":[1,2.5,null,"x"]},"from":"x","n":{"n":{}}}`)
	}
	f.Fuzz(func(t *testing.T, doc, value string) {
		s, err := schema.Parse(json.RawMessage(doc))
		if err != nil {
			return
		}
		var v any
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return
		}
		first := s.Validate(v)
		if err := s.Validate(v); (err == nil) != (first == nil) || err != nil && err.Error() != first.Error() {
			t.Fatalf("two answers: %v and %v", first, err)
		}
		if first != nil {
			if msg := first.Error(); msg == "" || len(msg) > 16000 || strings.ContainsAny(msg, "\x00\n\x1b\u202e") {
				t.Fatalf("a bad message: %q", msg)
			}
		}
		_ = s.ValidateValue(v)
		_ = s.Validate(floats(v))
	})
}

// floats is the tree with its numbers as float64, infinities included.
func floats(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = floats(v[i])
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k := range v {
			m[k] = floats(v[k])
		}
		return m
	}
	return v
}

// CPython itself parses what the fuzz seeds, and what was found later, become.
func TestFuzzedSchemasParseInPython(t *testing.T) {
	texts := map[string]string{}
	for i, seed := range fuzzSeeds {
		s := parse(t, seed)
		text, err := schema.Module([]schema.ToolDoc{{Name: "x", In: s, Out: s}, {Name: "list.dict", In: s, Out: s}})
		if err != nil {
			t.Fatal(err)
		}
		texts["seed"+string(rune('A'+i))] = text
	}
	if keep := os.Getenv("CODEMODE_FUZZ_KEEP"); keep != "" {
		files, _ := filepath.Glob(filepath.Join(keep, "*.py"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[strings.TrimSuffix(filepath.Base(file), ".py")] = string(data)
		}
	}
	for name, words := range parsePython(t, texts) {
		t.Errorf("%s: %s\n%.3000s", name, words, texts[name])
	}
}
