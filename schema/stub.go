package schema

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Stub writes the Python signature of one tool with its doc string, preceded by the types
// that it alone declares. Of a namespaced name it shows the last part. A nil in is a tool
// without arguments; a nil out is a result that may be anything. The text is valid Python
// without imports, ends with a newline, and is the same for the same input. The error,
// with the code fault.Invalid, says that in does not describe an object.
func Stub(name, description string, in, out *Schema) (string, error) {
	return ToolDoc{Name: name, Description: description, In: in, Out: out}.Stub()
}

// Stub is Stub of the tool.
func (t ToolDoc) Stub() (string, error) {
	s, err := newSignature(t)
	if err != nil {
		return "", err
	}
	m := newModule([]*signature{s})
	m.stub = true
	var b strings.Builder
	m.printDecls(&b)
	m.printFunction(&b, s, m.taken, "", nil)
	return b.String(), nil
}

// A signature is one tool as a Python function.
type signature struct {
	path   []string // namespaces and the function's name, as spelled in Python
	doc    string
	params []*argument
	star   int    // keyword-only from this one on; len(params) if none
	extra  string // **name, or ""
	extraT *pyType
	result *pyType
	returns,
	notes []string
	decls []*decl
}

type argument struct {
	name     string
	typ      *pyType
	required bool
	value    string // the default's source; "" if it is not known
	doc      remark
	dropped  string // what was left out of doc because the name says it
}

func newSignature(tool ToolDoc) (*signature, error) {
	in, err := arguments(tool.In)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "tool %s", quote(tool.Name))
	}
	in.prepare()
	s := &signature{path: tool.path(), doc: tool.Description}
	own := s.path[len(s.path)-1]
	b := &typer{input: true, exact: in.exact, tool: own}
	spell := map[string]string{}
	for _, p := range in.params {
		t, doc := b.member(p.mergedProperty)
		if t.decl != nil && doc.String() == t.decl.doc {
			doc = remark{}
		}
		a := &argument{name: p.PythonName, typ: t, required: p.Required, doc: doc}
		if !p.Required {
			a.fallback(p)
		}
		s.params = append(s.params, a)
		spell[p.Name] = p.PythonName
	}
	s.arrange()
	if in.extra {
		s.extra = "extra"
		for slices.ContainsFunc(s.params, func(a *argument) bool { return a.name == s.extra }) {
			s.extra += "_"
		}
		s.extraT = b.mapping("extra", gather(conjunction(in.root))).args[1]
	}
	atoms := conjunction(in.root)
	if d := description(atoms); d != "" && d != strings.TrimSpace(tool.Description) {
		s.notes = append(s.notes, d)
	}
	s.notes = append(s.notes, alternatives(atoms, spell)...)
	s.decls = b.decls
	s.result = anyType
	if tool.Out != nil {
		r := &typer{exact: tool.Out.exact, tool: own}
		s.result = r.of(own+"_result", tool.Out.root)
		if doc := documentation(conjunction(tool.Out.root), r); doc != "" && (s.result.decl == nil || s.result.decl.doc != doc) {
			s.returns = append(s.returns, doc)
		}
		s.decls = append(s.decls, r.decls...)
	}
	if tool.Streaming {
		s.result = named("Iterator", s.result)
	}
	for i, d := range s.decls {
		d.id = i
	}
	return s, nil
}

// fallback finds the default of an optional argument. One that its own schema refuses, or
// that is not of the annotated type, goes to the doc.
func (a *argument) fallback(p parameter) {
	var from *spec
	for _, s := range conjunction(append(slices.Clone(p.specs), p.alts...)...) {
		if s.hasDef {
			from = s
			break
		}
	}
	if from == nil || from.fallback == nil && !a.typ.allows("None") {
		return // null there means "nothing in particular"
	}
	v := from.fallback
	text, kind := pythonScalar(v, a.typ.allows("int") && !a.typ.allows("float"))
	valid := true
	for _, s := range p.specs {
		c := &checker{memo: map[memoKey]bool{}}
		valid = valid && c.check(s, v, nil, nil, nil)
	}
	switch v := v.(type) {
	case []any:
		if len(v) == 0 && a.typ.allows("list") {
			text, kind = "[]", "list"
		}
	case map[string]any:
		if len(v) == 0 && a.typ.allows("dict") {
			text, kind = "{}", "dict"
		}
	}
	if text != "" && valid && a.typ.takes(text, kind) {
		a.value = text
		return
	}
	if raw, err := json.Marshal(v); err == nil && text == "" {
		text = string(raw)
	}
	a.doc.limits = append(slices.Clone(a.doc.limits), "default "+shorten(text, maxLiteralText))
}

// allows says whether the type is, or has among its alternatives, the one named.
func (t *pyType) allows(name string) bool {
	if t.name == "|" {
		return slices.ContainsFunc(t.args, func(a *pyType) bool { return a.allows(name) })
	}
	return t.decl == nil && t.name == name && len(t.literals) == 0
}

// takes says whether a type checker accepts the literal.
func (t *pyType) takes(text, kind string) bool {
	if t.name == "|" {
		return slices.ContainsFunc(t.args, func(a *pyType) bool { return a.takes(text, kind) })
	}
	if len(t.literals) > 0 {
		return contains(t.literals, text)
	}
	return t.decl == nil && (t.name == "Any" || t.name == kind || t.name == "float" && kind == "int")
}

// arrange keeps positional arguments in the schema's order. Python has no syntax for a
// positional one that is required behind one that is not, so from there on arguments are
// shown as keyword-only, and required ones come first.
func (s *signature) arrange() {
	s.star = len(s.params)
	lead := slices.IndexFunc(s.params, func(a *argument) bool { return !a.required })
	if lead < 0 || !slices.ContainsFunc(s.params[lead:], func(a *argument) bool { return a.required }) {
		return
	}
	s.star = lead
	RequiredFirst(s.params[lead:], func(a *argument) bool { return a.required })
}

// RequiredFirst puts arguments that are required before those that are not, as Python
// wants positional ones; otherwise their order stays.
func RequiredFirst[T any](arguments []T, required func(T) bool) {
	slices.SortStableFunc(arguments, func(a, b T) int {
		switch {
		case required(a) == required(b):
			return 0
		case required(a):
			return -1
		}
		return 1
	})
}

// docLine is how an argument is described; "" if there is nothing to say that its name
// does not.
func (a *argument) docLine() string {
	doc := oneLine(a.doc.String())
	if doc == "" || sameWords(doc, a.name) {
		return ""
	}
	return a.name + ": " + doc
}

var withoutSpaces = strings.NewReplacer("_", "", " ", "", "-", "")

func sameWords(doc, name string) bool {
	plain := func(s string) string { return strings.ToLower(strings.Trim(withoutSpaces.Replace(s), ". ")) }
	return plain(doc) == plain(name)
}

// docText is the whole doc string. Lines in common are described elsewhere.
func (s *signature) docText(common map[string]bool) string {
	var b strings.Builder
	text := strings.TrimSpace(squeeze(clean(s.doc)))
	b.WriteString(text)
	for _, n := range s.notes {
		b.WriteString("\n\n" + strings.TrimSpace(squeeze(clean(n))))
	}
	var lines []string
	for _, a := range s.params {
		if line := a.docLine(); line != "" && !common[line] {
			lines = append(lines, "    "+line)
		}
	}
	if len(lines) > 0 {
		b.WriteString("\n\nArgs:\n" + strings.Join(lines, "\n"))
	}
	for _, r := range s.returns {
		b.WriteString("\n\nReturns: " + oneLine(r))
	}
	return strings.TrimSpace(b.String())
}

// squeeze trims line ends and leaves no two blank lines in a row.
func squeeze(s string) string {
	var lines []string
	for _, line := range strings.Split(s, "\n") {
		line = strings.TrimRight(line, " ")
		if line == "" && len(lines) > 0 && lines[len(lines)-1] == "" {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
