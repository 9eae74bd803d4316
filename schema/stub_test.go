package schema_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/codemode-sdk/codemode/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each golden file holds tools.json, a list of tools, and what is made of it: module.py,
// and outline.py and brief.py for a model.
func TestStubsReadAsBefore(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	modules, outlines := map[string]string{}, map[string]string{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := schema.Module(toolDocs(t, "", decodeTools(t, file, archive.Files[0].Data)))
		if err != nil {
			t.Fatal(file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		modules[name] = got
		made := []txtar.File{{Name: "module.py", Data: []byte(got)}}
		for i, form := range []string{"outline.py", "brief.py"} {
			outline, err := schema.Outline(toolDocs(t, "", decodeTools(t, file, archive.Files[0].Data)), i == 1)
			if err != nil {
				t.Fatal(file, err)
			}
			outlines[name+" "+form] = outline
			made = append(made, txtar.File{Name: form, Data: []byte(outline)})
		}
		if *update {
			archive.Files = append(archive.Files[:1], made...)
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for i, want := range archive.Files[1:] {
			if diff := cmp.Diff(string(want.Data), string(made[i].Data)); diff != "" {
				t.Errorf("%s of %s, run with -update if it is meant (-want +got)\n%s", want.Name, file, diff)
			}
		}
		if len(archive.Files) != 1+len(made) {
			t.Errorf("%s holds %d files; run with -update", file, len(archive.Files))
		}
	}
	for name, words := range parsePython(t, outlines) {
		t.Errorf("the outline of %s: %s", name, words)
	}
	for name, words := range parsePython(t, modules) {
		t.Errorf("%s: %s", name, words)
	}
	typeCheck(t, modules)
}

// Real lists: nothing a published server says may break the module or lose an argument.
func TestRealToolListsBecomeModules(t *testing.T) {
	texts, modules := map[string]string{}, map[string]string{}
	for name, tools := range toolLists(t) {
		for _, prefix := range []string{"", name + "."} {
			docs := toolDocs(t, prefix, tools)
			text, err := schema.Module(docs)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := schema.Module(reversed(docs))
			if text != again {
				t.Errorf("%s: another order of tools gives another module", name)
			}
			for _, brief := range []bool{false, true} {
				outline, err := schema.Outline(docs, brief)
				if err != nil {
					t.Fatal(err)
				}
				if other, _ := schema.Outline(reversed(docs), brief); outline != other || len(outline) >= len(text) {
					t.Errorf("%s: the outline depends on the order of tools, or is no shorter than the module", name)
				}
				texts[fmt.Sprint("outline ", brief, prefix, name)] = outline
			}
			key := strings.ReplaceAll(name, "-", "_")
			if prefix != "" {
				key += "_namespaced"
			}
			modules[key] = text
			for _, d := range docs {
				stub, err := schema.Stub(d.Name, d.Description, d.In, d.Out)
				if err != nil {
					t.Fatal(err)
				}
				texts[key+" "+d.Name] = stub
				for _, p := range d.In.Parameters() {
					if p.Required && !strings.Contains(stub, p.PythonName+": ") {
						t.Errorf("%s: no %s in\n%s", d.Name, p.PythonName, stub)
					}
				}
			}
		}
	}
	for k, v := range modules {
		texts["module "+k] = v
	}
	for name, words := range parsePython(t, texts) {
		t.Errorf("%s: %s\n%s", name, words, texts[name])
	}
	typeCheck(t, modules)
}

func reversed(docs []schema.ToolDoc) []schema.ToolDoc {
	var r []schema.ToolDoc
	for _, d := range docs {
		r = append([]schema.ToolDoc{d}, r...)
	}
	return r
}

// Texts from strangers: whatever they hold, the only statements are those of the stub.
func TestDescriptionsCannotAddCode(t *testing.T) {
	texts := map[string]string{}
	for i, evil := range []string{
		`"""`, `""""`, `"""""""`, `\`, `\"""`, `\\`, "a\\\n", `ends with "`, `ends with \"`, `"starts`,
		"\"\"\"\nimport os\n\"\"\"", "x\r\"\"\"\rimport os", "null \x00 byte", "esc \x1b[31m", "\u202eevil\u2066", "\u2028import os", "\x0cimport os",
		"'''\nimport os", "# type: ignore", "type: ignore", "\xff\xfe", "#\nimport os", "\U000e0041tag", "\n\n\n", "\\N{BULLET}", "\\u", "\\x", "{x}", "# -*- coding: utf-7 -*-",
	} {
		quoted, err := json.Marshal(evil)
		if err != nil {
			t.Fatal(err)
		}
		doc := strings.ReplaceAll(`{"title":@,"description":@,"properties":{
			"a":{"type":"string","description":@,"default":@,"pattern":@,"format":@},
			"b":{"enum":[@,1]},"c":{"const":@},"d":{"type":"object","title":@,"description":@,"properties":{"k":{"type":"integer","description":@},@:{"type":"string"}},"required":[@]},
			"e":{"$ref":"#/$defs/X"},"f":{"type":@},"g":{"type":"array","items":{"examples":[@],"propertyNames":{"enum":[@]}}},@:{"type":"string"}},
			"$defs":{"X":{"title":@,"description":@,"properties":{"x-y":{"$ref":"#/$defs/X","description":@}}}},"required":[@]}`, "@", string(quoted))
		s, err := schema.Parse(json.RawMessage(doc))
		if err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		text, err := schema.Stub(evil, evil, s, s)
		if err != nil {
			t.Fatal(err)
		}
		name := string(rune('A' + i))
		texts["stub"+name] = text
		if texts["module"+name], err = schema.Module([]schema.ToolDoc{{Name: evil, Description: evil, In: s, Out: s}, {Name: "ns." + evil, Description: evil, In: s}}); err != nil {
			t.Fatal(err)
		}
		if texts["brief"+name], err = schema.Outline([]schema.ToolDoc{{Name: evil, Description: evil, In: s, Out: s}, {Name: "ns." + evil, Description: evil, In: s}}, true); err != nil {
			t.Fatal(err)
		}
		for _, r := range text + texts["brief"+name] {
			if r < ' ' && r != '\n' || r == '\u202e' || r == '\u2066' || r == '\u2028' || r > 0xe0000 && r < 0xf0000 {
				t.Errorf("%q: %U is in the stub", evil, r)
			}
		}
	}
	for name, words := range parsePython(t, texts) {
		t.Errorf("%s: %s\n%s", name, words, texts[name])
	}
}

// Positional arguments follow the schema; a stub must not promise otherwise.
func TestRequiredAfterOptionalIsKeywordOnly(t *testing.T) {
	for doc, want := range map[string]string{
		`{"properties":{"a":{"type":"string"},"b":{"type":"integer","default":1}},"required":["a"]}`:                        "def t(a: str, b: int = 1) -> Any: ...\n",
		`{"properties":{"a":{"type":"string"},"o":{"type":"integer"},"b":{"type":"boolean"}},"required":["a","b"]}`:         "def t(a: str, *, b: bool, o: int = ...) -> Any: ...\n",
		`{"properties":{"from":{"type":["string","null"],"default":null},"class":{"type":"number"}},"required":["none"]}`:   "def t(*, none: Any, from_: str | None = None, class_: float = ...) -> Any: ...\n",
		`{"properties":{"extra":{}},"additionalProperties":{"type":"integer"}}`:                                             "def t(extra: Any = ..., **extra_: int) -> Any: ...\n",
		`{"properties":{"n":{"type":"integer","default":"5"}}}`:                                                             "def t(n: int = ...) -> Any:\n    \"\"\"Args:\n        n: default '5'\n    \"\"\"\n",
		`{"properties":{"n":{"type":"integer","default":5.0},"l":{"type":"array","items":{"type":"string"},"default":[]}}}`: "def t(n: int = 5, l: list[str] = []) -> Any: ...\n",
	} {
		got, err := schema.Stub("t", "", parse(t, doc), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", doc, diff)
		}
	}
}

// A search shows no declarations, so that a type of its own is told where it is used.
func TestALineOfASearchSaysThatARecursiveListIsAList(t *testing.T) {
	in := parse(t, `{"type":"object","properties":{"kids":{"$ref":"#/$defs/Kids"},"any":{"$ref":"#/$defs/JSON"}},"$defs":{
		"Kids":{"type":"array","items":{"type":"object","properties":{"kids":{"$ref":"#/$defs/Kids"}}}},
		"JSON":{"type":"array","items":{"$ref":"#/$defs/JSON"}}}}`)
	line, err := schema.Signature(schema.ToolDoc{Name: "t", In: in})
	if want := "tools.t(kids: list[dict]=..., any: list[Any]=...)"; err != nil || line != want {
		t.Errorf("%s, %v, and not %s", line, err, want)
	}
}
