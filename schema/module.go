package schema

import (
	"slices"
	"sort"
	"strings"
)

// A ToolDoc is one tool as Module describes it.
type ToolDoc struct {
	// Name is the registered name; dots separate namespaces.
	Name string
	// PythonName is the same path as Python spells it. If empty, each part of Name is
	// spelled by PythonName and parts that meet are told apart by a number.
	PythonName string
	// Description is plain text of any kind.
	Description string
	// In describes the arguments; nil is none.
	In *Schema
	// Out describes the result; nil is anything.
	Out *Schema
	// Streaming says that the result is an iterator over what Out describes.
	Streaming bool
}

func (t ToolDoc) path() []string {
	name := t.PythonName
	if name == "" {
		name = t.Name
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = PythonName(p)
	}
	return parts
}

// Module writes a Python module that declares all tools: imports, the types they share,
// a class for every namespace, and the functions, sorted by name. What many tools of a
// namespace say of an argument is said once, at its top. The text is valid Python that
// strict type checkers accept, and the same bytes for the same set of tools in any order.
// The error, with the code fault.Invalid, names a tool whose arguments are no object.
func Module(tools []ToolDoc) (string, error) {
	signatures, err := sortedSignatures(tools)
	if err != nil {
		return "", err
	}
	m := newModule(signatures)
	var body strings.Builder
	root := m.tree(signatures)
	shadow := m.shadowed(nil, root)
	m.printDecls(&body)
	m.printScope(&body, root, shadow, "")
	return m.header(root) + body.String(), nil
}

func sortedSignatures(tools []ToolDoc) ([]*signature, error) {
	tools = slices.Clone(tools)
	slices.SortStableFunc(tools, func(a, b ToolDoc) int {
		return slices.Compare(append(a.path(), a.Name, a.Description), append(b.path(), b.Name, b.Description))
	})
	signatures := make([]*signature, len(tools))
	for i, t := range tools {
		var err error
		if signatures[i], err = newSignature(t); err != nil {
			return nil, err
		}
	}
	return signatures, nil
}

// A module prints signatures and keeps track of what they need.
type module struct {
	stub     bool // one function for a model to read, rather than a module to be checked
	decls    []*decl
	taken    map[string]bool            // names at module level that are not ours to use
	imported map[string]map[string]bool // by module; "" is the module itself
	forward  bool
	private  bool
	selfish  bool
}

var origins = map[string]string{
	"Any": "typing", "Iterator": "typing", "Literal": "typing", "NotRequired": "typing", "TypedDict": "typing", "TypeAlias": "typing", "Never": "typing",
	"datetime": "datetime", "date": "datetime", "time": "datetime", "timedelta": "datetime", "UUID": "uuid",
	"str": "", "int": "", "float": "", "bool": "", "bytes": "", "list": "", "dict": "", "tuple": "", "staticmethod": "",
}

// aliases are what modules are imported as when one of their names is hidden.
var aliases = []string{"_builtins_", "_datetime_", "_typing_", "_uuid_"}

func newModule(signatures []*signature) *module {
	m := &module{taken: map[string]bool{}, imported: map[string]map[string]bool{}}
	names := map[string]bool{}
	for name := range origins {
		names[name] = true
	}
	for _, w := range []string{"builtins", "typing", "uuid", "annotations"} {
		names[w] = true
	}
	for _, s := range signatures {
		m.decls = append(m.decls, s.decls...)
		for _, part := range s.path {
			names[part] = true
		}
		if len(s.path) == 1 {
			m.taken[s.path[0]] = true
		}
	}
	for i, d := range m.decls {
		d.id = i
	}
	stands := shareDecls(m.decls)
	var kept []*decl
	for _, d := range m.decls {
		if stands[d] == d {
			kept = append(kept, d)
		}
		d.body.replaceDecls(stands)
		for _, f := range d.fields {
			f.typ.replaceDecls(stands)
		}
	}
	for _, s := range signatures {
		s.result.replaceDecls(stands)
		s.extraT.replaceDecls(stands)
		for _, a := range s.params {
			a.typ.replaceDecls(stands)
		}
	}
	nameDecls(kept, names)
	m.decls = inOrder(kept)
	return m
}

// A scope is a namespace: a class, or the module.
type scope struct {
	name      string
	functions []*signature
	scopes    []*scope
}

// tree sorts the functions into namespaces and tells equal spellings apart. A namespace
// keeps its name where a function has the same.
func (m *module) tree(signatures []*signature) *scope {
	root := &scope{}
	for _, s := range signatures {
		at := root
		for _, part := range s.path[:len(s.path)-1] {
			i := slices.IndexFunc(at.scopes, func(c *scope) bool { return c.name == part })
			if i < 0 {
				at.scopes = append(at.scopes, &scope{name: part})
				i = len(at.scopes) - 1
			}
			at = at.scopes[i]
		}
		at.functions = append(at.functions, s)
	}
	var settle func(*scope)
	settle = func(at *scope) {
		sort.SliceStable(at.scopes, func(i, j int) bool { return at.scopes[i].name < at.scopes[j].name })
		var names []string
		for _, c := range at.scopes {
			names = append(names, c.name)
		}
		for _, f := range at.functions {
			names = append(names, f.path[len(f.path)-1])
		}
		reserved := slices.Clone(aliases)
		for _, d := range m.decls { // their names were chosen to be free
			reserved = append(reserved, d.name)
		}
		spelled := PythonNames(append(slices.Clone(reserved), names...))[len(reserved):]
		for i, f := range at.functions {
			f.path[len(f.path)-1] = spelled[len(at.scopes)+i]
		}
		for _, c := range at.scopes {
			settle(c)
		}
	}
	settle(root)
	return root
}

// shadowed adds the names that a scope defines to those that already hide a builtin.
func (m *module) shadowed(outer map[string]bool, s *scope) map[string]bool {
	set := map[string]bool{}
	for name := range outer {
		set[name] = true
	}
	for _, f := range s.functions {
		set[f.path[len(f.path)-1]] = true
	}
	for _, c := range s.scopes {
		set[c.name] = true
	}
	if outer == nil {
		for name := range set {
			m.taken[name] = true
		}
	}
	return set
}

// resolver spells names of builtins and imports where some of them mean something else.
func (m *module) resolver(shadow map[string]bool) func(string) string {
	return func(name string) string {
		origin, known := origins[name]
		switch {
		case !known:
			return name
		case shadow[name] || m.taken[name]:
			if origin == "" {
				origin = "builtins"
			}
			m.need(origin, "")
			return "_" + origin + "_." + name
		case origin == "":
			return name
		}
		m.need(origin, name)
		return name
	}
}

func (m *module) need(module, name string) {
	if m.imported[module] == nil {
		m.imported[module] = map[string]bool{}
	}
	m.imported[module][name] = true
}

func (m *module) header(root *scope) string {
	var b strings.Builder
	m.printOrders(&b)
	if text := commonText(m.common(root)); text != "" {
		b.WriteString(docString(text, "") + "\n")
	}
	if m.forward {
		b.WriteString("from __future__ import annotations\n")
	}
	modules := make([]string, 0, len(m.imported))
	for name := range m.imported {
		modules = append(modules, name)
	}
	sort.Strings(modules)
	for _, name := range modules {
		if m.imported[name][""] {
			b.WriteString("import " + name + " as _" + name + "_\n")
			delete(m.imported[name], "")
		}
		if names := sortedSet(m.imported[name]); len(names) > 0 {
			b.WriteString("from " + name + " import " + strings.Join(names, ", ") + "\n")
		}
	}
	if len(modules) > 0 || m.forward {
		b.WriteByte('\n')
	}
	return b.String()
}

// printOrders has type checkers accept a module of stubs.
func (m *module) printOrders(b *strings.Builder) {
	// Stubs have no bodies, which mypy asks of functions outside .pyi files.
	b.WriteString("# mypy: disable-error-code=\"empty-body\"\n")
	var off []string
	if m.private {
		off = append(off, "reportUnusedFunction=false", "reportUnusedClass=false", "reportPrivateUsage=false")
	}
	if m.selfish {
		off = append(off, "reportSelfClsParameterName=false")
	}
	if len(off) > 0 {
		b.WriteString("# pyright: " + strings.Join(off, ", ") + "\n")
	}
}

// commonUses is how many tools must describe an argument alike for it to be said once.
const commonUses = 3

// common gives the lines to say at the top of a scope: of each argument's name the one
// used most.
func (m *module) common(s *scope) map[string]bool {
	uses := map[string]map[string]int{}
	for _, f := range s.functions {
		for _, a := range f.params {
			if line := a.docLine(); line != "" {
				if uses[a.name] == nil {
					uses[a.name] = map[string]int{}
				}
				uses[a.name][line]++
			}
		}
	}
	set := map[string]bool{}
	for _, lines := range uses {
		best, most := "", commonUses-1
		for line, n := range lines {
			if n > most || n == most && best != "" && line < best {
				best, most = line, n
			}
		}
		if best != "" {
			set[best] = true
		}
	}
	return set
}

func commonText(common map[string]bool) string {
	if len(common) == 0 {
		return ""
	}
	return "Unless said otherwise:\n\n    " + strings.Join(sortedSet(common), "\n    ")
}

func (m *module) printScope(b *strings.Builder, s *scope, shadow map[string]bool, indent string) {
	common := m.common(s)
	for _, c := range s.scopes {
		m.private = m.private || strings.HasPrefix(c.name, "_")
		b.WriteString(indent + "class " + c.name + ":\n")
		if text := commonText(m.common(c)); text != "" {
			b.WriteString(docString(text, indent+"    ") + "\n")
		}
		m.printScope(b, c, m.shadowed(shadow, c), indent+"    ")
		b.WriteByte('\n')
	}
	for i, f := range s.functions {
		if i > 0 {
			b.WriteByte('\n')
		}
		m.printFunction(b, f, shadow, indent, common)
	}
}

func (m *module) printFunction(b *strings.Builder, s *signature, shadow map[string]bool, indent string, common map[string]bool) {
	resolve := m.resolver(shadow)
	name := s.path[len(s.path)-1]
	m.private = m.private || strings.HasPrefix(name, "_")
	write := func(t *pyType) { t.write(b, resolve, m.declName) }
	if indent != "" {
		b.WriteString(indent + "@" + resolve("staticmethod") + "\n")
	}
	b.WriteString(indent + "def " + name + "(")
	for i, a := range s.params {
		m.selfish = m.selfish || i == 0 && (a.name == "self" || a.name == "cls")
		if i > 0 {
			b.WriteString(", ")
		}
		if i == s.star {
			b.WriteString("*, ")
		}
		b.WriteString(a.name + ": ")
		write(a.typ)
		if !a.required {
			if b.WriteString(" = "); a.value != "" {
				b.WriteString(a.value)
			} else {
				b.WriteString("...")
			}
		}
	}
	if s.extra != "" {
		if len(s.params) > 0 {
			b.WriteString(", ")
		}
		b.WriteString("**" + s.extra + ": ")
		write(s.extraT)
	}
	b.WriteString(") -> ")
	write(s.result)
	switch text := s.docText(common); {
	case text == "":
		b.WriteString(": ...\n")
	case m.stub:
		b.WriteString(":\n" + docString(text, indent+"    ") + "\n")
	default:
		// Without the dots pyright takes the defaults and the missing return for mistakes.
		b.WriteString(":\n" + docString(text, indent+"    ") + "\n" + indent + "    ...\n")
	}
}

func (m *module) declName(d *decl) string { return d.name }

// printDecls writes the types of the module.
func (m *module) printDecls(b *strings.Builder) {
	defined := map[*decl]bool{}
	for _, d := range m.decls {
		resolve := m.resolver(nil)
		// What is evaluated when the module is read must not name what comes later.
		late := false
		d.eachDecl(func(o *decl) { late = late || !defined[o] })
		m.forward = m.forward || late
		switch {
		case !d.dict:
			var t strings.Builder
			d.body.write(&t, resolve, m.declName)
			b.WriteString(d.name + ": " + resolve("TypeAlias") + " = " + pythonString(t.String()) + comment(d.doc) + "\n\n")
		case m.classSyntax(d):
			m.printClass(b, d)
		default:
			b.WriteString(d.name + " = " + resolve("TypedDict") + "(" + pythonString(d.name) + ", {" + comment(d.doc) + "\n")
			for _, f := range d.fields {
				var t strings.Builder
				f.typ.write(&t, resolve, m.declName)
				text := t.String()
				if late {
					text = pythonString(text)
				}
				if !f.required {
					text = resolve("NotRequired") + "[" + text + "]"
				}
				b.WriteString("    " + pythonString(f.key) + ": " + text + "," + comment(f.doc.String()) + "\n")
			}
			b.WriteString("})\n\n")
		}
		defined[d] = true
	}
}

// classSyntax says whether every key can be written as a name in a class, and hides no
// type there.
func (m *module) classSyntax(d *decl) bool {
	for _, f := range d.fields {
		hides := contains(aliases, f.key) || slices.ContainsFunc(m.decls, func(o *decl) bool { return o.name == f.key })
		if hides || identifier(f.key) != f.key {
			return false
		}
	}
	return true
}

func (m *module) printClass(b *strings.Builder, d *decl) {
	shadow := map[string]bool{}
	for _, f := range d.fields {
		shadow[f.key] = true
	}
	resolve := m.resolver(shadow)
	b.WriteString("class " + d.name + "(" + m.resolver(nil)("TypedDict") + "):\n")
	if text := strings.TrimSpace(squeeze(clean(d.doc))); text != "" {
		b.WriteString(docString(text, "    ") + "\n")
	}
	for _, f := range d.fields {
		var t strings.Builder
		f.typ.write(&t, resolve, m.declName)
		text := t.String()
		if !f.required {
			text = resolve("NotRequired") + "[" + text + "]"
		}
		b.WriteString("    " + f.key + ": " + text + comment(f.doc.String()) + "\n")
	}
	b.WriteByte('\n')
}
