package schema

import (
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/words"
)

// Legend explains to a model how Outline writes signatures.
const Legend = "A parameter or key without a type is a str; =... means that it may be left out; 'a'|'b' are the only values; a result without a type may be anything."

// Outline describes all tools to a model in as little as says how to call them: a
// signature each, in the notation that Legend explains, behind the types that they
// share. With brief, of every description only the first sentence, and of arguments only
// what their names do not say; Stub gives the rest. What many tools of a namespace say
// of an argument is said once, at its top. The text can be parsed as Python, and is the
// same for the same set of tools in any order. The error is that of Module.
func Outline(tools []ToolDoc, brief bool) (string, error) {
	signatures, err := sortedSignatures(tools)
	if err != nil {
		return "", err
	}
	if brief {
		topic := topicOf(signatures)
		for _, s := range signatures {
			s.shorten(topic)
		}
	}
	m := newModule(signatures)
	root := m.tree(signatures)
	o := outline{brief: brief}
	common := m.common(root)
	if text := commonText(common); text != "" {
		o.b.WriteString(docString(text, "") + "\n")
	}
	if brief {
		for _, d := range m.decls {
			for i, f := range d.fields {
				if common[f.key+": "+oneLine(f.doc.String())] {
					d.fields[i].doc = remark{}
				}
			}
		}
	}
	o.nameChoices(m, signatures)
	for _, d := range m.decls {
		o.decl(d)
	}
	o.scope(m, root, "")
	return o.b.String(), nil
}

// Signature is the line of one tool in a list that was searched: its path below "tools."
// and its arguments in the notation of Outline, with the first sentence about it.
func Signature(tool ToolDoc) (string, error) {
	s, err := newSignature(tool)
	if err != nil {
		return "", err
	}
	s.shorten(nil)
	nameDecls(s.decls, map[string]bool{})
	o := outline{inline: true}
	o.b.WriteString("tools." + strings.Join(s.path, "."))
	o.arguments(s)
	if text := oneLine(s.doc); text != "" {
		o.b.WriteString("  # " + text)
	}
	return o.b.String(), nil
}

// An outline is written from the top down.
type outline struct {
	b      strings.Builder
	brief  bool
	inline bool // types of their own are written where they are used, as dict
	within bool // such a type that is no dict, which may hold itself
	// choices names the long lists of values that are used more than once.
	choices map[string]string
}

// longChoice is the length from which a list of values is worth a name, in bytes.
const longChoice = 40

// nameChoices finds long lists of values that are used more than once, and writes each
// under a name.
func (o *outline) nameChoices(m *module, signatures []*signature) {
	o.choices = map[string]string{}
	uses := map[string]int{}
	taken := slices.Clone(aliases)
	for _, d := range m.decls {
		taken = append(taken, d.name)
	}
	var visit func(name string, t *pyType)
	visit = func(name string, t *pyType) {
		if t == nil {
			return
		}
		if text := strings.Join(t.literals, "|"); len(text) >= longChoice {
			if uses[text]++; uses[text] == 2 {
				if name = camel(name); name == "" {
					name = "Choice"
				}
				taken = append(taken, PythonNames(append(slices.Clone(taken), name))[len(taken)])
				o.choices[text] = taken[len(taken)-1]
				o.b.WriteString(o.choices[text] + " = " + text + "\n")
			}
		}
		for _, a := range t.args {
			visit(name, a)
		}
	}
	for _, d := range m.decls {
		visit(d.name, d.body)
		for _, f := range d.fields {
			visit(f.key, f.typ)
		}
	}
	for _, s := range signatures {
		for _, a := range s.params {
			visit(a.name, a.typ)
		}
		visit("extra", s.extraT)
		visit("result", s.result)
	}
}

func (o *outline) scope(m *module, s *scope, indent string) {
	common := m.common(s)
	for _, c := range s.scopes {
		o.b.WriteString(indent + "class " + c.name + ":\n")
		if text := commonText(m.common(c)); text != "" {
			o.b.WriteString(docString(text, indent+"    ") + "\n")
		}
		o.scope(m, c, indent+"    ")
	}
	for _, f := range s.functions {
		o.b.WriteString(indent + "def " + f.path[len(f.path)-1])
		o.arguments(f)
		switch text := o.docs(f, common); {
		case text == "":
			o.b.WriteString(": ...\n")
		case strings.Contains(text, "\n"):
			o.b.WriteString(":\n" + docString(text, indent+"    ") + "\n")
		default:
			o.b.WriteString(": " + docString(text, "") + "\n")
		}
	}
}

func (o *outline) docs(s *signature, common map[string]bool) string {
	if !o.brief {
		return s.docText(common)
	}
	parts := []string{}
	for _, text := range append([]string{s.doc}, s.notes...) {
		if text = oneLine(text); text != "" {
			parts = append(parts, text)
		}
	}
	var lines []string
	for _, a := range s.params {
		line, shared := a.docLine(), ""
		for c := range common {
			if rest, found := strings.CutPrefix(c, a.name+": "); found {
				shared = rest
			}
		}
		if line == "" && a.dropped != "" && shared != "" {
			line = a.name + ": " + a.dropped // or else what is said in common would hold for it
		}
		// What says no more than that need not be said.
		if line != "" && (shared == "" || !says(line, words.Split(a.name+" "+shared))) {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		parts = append(parts, strings.Join(lines, "; "))
	}
	for _, r := range s.returns {
		parts = append(parts, "Returns: "+oneLine(r))
	}
	return strings.Join(parts, ". ")
}

func (o *outline) arguments(s *signature) {
	o.b.WriteByte('(')
	for i, a := range s.params {
		if i > 0 {
			o.b.WriteString(", ")
		}
		if i == s.star {
			o.b.WriteString("*, ")
		}
		o.b.WriteString(a.name)
		o.typ(a.typ)
		if !a.required {
			o.b.WriteByte('=')
			if a.value == "" {
				o.b.WriteString("...")
			}
			o.b.WriteString(a.value)
		}
	}
	if s.extra != "" {
		if len(s.params) > 0 {
			o.b.WriteString(", ")
		}
		o.b.WriteString("**" + s.extra)
		o.typ(s.extraT)
	}
	o.b.WriteByte(')')
	if s.result.name != "Any" {
		o.b.WriteString(" -> ")
		o.expression(s.result)
	}
}

// typ writes what stands behind the name of something that is not a str.
func (o *outline) typ(t *pyType) {
	if t.decl == nil && t.name == "str" {
		return
	}
	o.b.WriteString(": ")
	o.expression(t)
}

func (o *outline) expression(t *pyType) {
	list := func(sep string) {
		for i, a := range t.args {
			if i > 0 {
				o.b.WriteString(sep)
			}
			o.expression(a)
		}
	}
	switch {
	case t.decl != nil && o.inline && t.decl.dict:
		o.b.WriteString("dict")
	case t.decl != nil && o.inline && !o.within:
		o.within = true
		o.expression(t.decl.body)
		o.within = false
	case t.decl != nil && o.inline:
		o.b.WriteString("Any")
	case t.decl != nil:
		o.b.WriteString(t.decl.name)
	case t.name == "|":
		list("|")
	case len(t.literals) > 0:
		text := strings.Join(t.literals, "|")
		if name := o.choices[text]; name != "" {
			text = name
		}
		o.b.WriteString(text)
	default:
		o.b.WriteString(t.name)
		if len(t.args) > 0 {
			o.b.WriteByte('[')
			list(", ")
			o.b.WriteByte(']')
		}
	}
}

// decl writes one type that tools share: a class of keys on one line where nothing has to
// be said of them.
func (o *outline) decl(d *decl) {
	if !d.dict {
		o.b.WriteString(d.name + " = ")
		o.expression(d.body)
		o.b.WriteString(comment(d.doc) + "\n")
		return
	}
	names, remarks := true, d.doc != ""
	for _, f := range d.fields {
		names = names && identifier(f.key) == f.key
		remarks = remarks || f.doc.String() != ""
	}
	end := "; "
	switch {
	case !names:
		o.b.WriteString(d.name + " = TypedDict('" + d.name + "', {" + comment(d.doc) + "\n")
	case remarks || len(d.fields) == 0:
		end = "\n"
		o.b.WriteString("class " + d.name + "(TypedDict):" + comment(d.doc) + "\n")
	default:
		o.b.WriteString("class " + d.name + "(TypedDict): ")
	}
	for i, f := range d.fields {
		switch {
		case !names:
			o.b.WriteString("    " + pythonString(f.key) + ": ")
			if !f.required {
				o.b.WriteString("NotRequired[")
			}
			o.expression(f.typ)
			if !f.required {
				o.b.WriteByte(']')
			}
			o.b.WriteString("," + comment(f.doc.String()) + "\n")
			continue
		case remarks:
			o.b.WriteString("    ")
		case i > 0:
			o.b.WriteString(end)
		}
		o.b.WriteString(f.key)
		o.typ(f.typ)
		if !f.required {
			o.b.WriteString("=...")
		}
		if remarks {
			o.b.WriteString(comment(f.doc.String()) + "\n")
		}
	}
	switch {
	case !names:
		o.b.WriteString("})\n")
	case !remarks:
		o.b.WriteByte('\n')
	}
}
