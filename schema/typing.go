package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A typer turns the schemas of one document into Python types.
type typer struct {
	input bool   // what a program may pass, rather than what it gets
	exact bool   // see Schema.exact
	tool  string // for names of types
	steps int
	memo  map[string]*typing
	decls []*decl
}

// typing is a type in the making; a recursion that arrives at it again makes it a decl.
type typing struct {
	done *pyType
	self *decl
	hint string
	dict bool // will be what object makes of it, and nothing else
}

func (b *typer) of(hint string, specs ...*spec) *pyType {
	return b.merge(hint, conjunction(specs...), nil)
}

func (b *typer) merge(hint string, atoms []*spec, done []choiceKey) *pyType {
	if b.steps++; b.steps > maxTypeSteps {
		return anyType
	}
	if b.memo == nil {
		b.memo = map[string]*typing{}
	}
	atoms = substance(atoms)
	key := typingKey(atoms, done)
	if t := b.memo[key]; t != nil {
		if o := b.memo["object "+key]; t.done == nil && t.dict && o != nil {
			return o.done
		}
		if t.done == nil && t.self == nil {
			t.self = b.declare(t.hint, atoms, done)
		}
		if t.done == nil {
			return &pyType{decl: t.self}
		}
		return t.done
	}
	t := &typing{hint: hint}
	b.memo[key] = t
	result := b.build(t, atoms, done)
	if t.self != nil {
		t.self.body = result
		result = &pyType{decl: t.self}
	}
	t.done = result
	return result
}

// substance leaves out schemas that only refer to others, so that every reference to a
// definition is the same type.
func substance(atoms []*spec) []*spec {
	var list []*spec
	for _, a := range atoms {
		refers := a.target != nil || a.dynamic != nil || len(a.allOf) > 0
		says := a.never || a.nullable || len(a.types) > 0 || a.hasEnum || len(a.props) > 0 || len(a.patterns) > 0 ||
			a.additional != nil || a.items != nil || len(a.prefix) > 0 || len(a.required) > 0 || len(a.anyOf) > 0 ||
			len(a.oneOf) > 0 || a.cond != nil || len(a.depends) > 0 || a.format != "" || a.encoding != "" || a.patternSrc != ""
		if says || !refers {
			list = append(list, a)
		}
	}
	return list
}

func typingKey(atoms []*spec, done []choiceKey) string {
	ids := make([]string, 0, len(atoms)+len(done))
	for _, a := range atoms {
		ids = append(ids, strconv.Itoa(a.id))
	}
	for _, d := range done {
		ids = append(ids, fmt.Sprint(d.owner.id, d.oneOf))
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
}

func (b *typer) declare(hint string, atoms []*spec, done []choiceKey) *decl {
	var names []string
	add := func(name string) {
		if name != "" && len(name) <= 60 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, a := range atoms {
		if a.name != "" {
			add(camel(a.name))
		}
	}
	for _, a := range atoms {
		if n := len(a.title); n > 0 && n <= 40 {
			add(camel(a.title))
		}
	}
	own := camel(hint)
	if len(names) == 0 {
		add(own)
	}
	if tool := camel(b.tool); !strings.HasPrefix(own, tool) {
		add(tool + own)
	}
	if len(names) == 0 {
		names = append(names, "Value")
	}
	// What is said of a choice as a whole is not said of each variant again.
	said := slices.DeleteFunc(slices.Clone(atoms), func(a *spec) bool {
		return slices.ContainsFunc(done, func(k choiceKey) bool { return k.owner == a })
	})
	d := &decl{id: len(b.decls), names: names, doc: description(said)}
	b.decls = append(b.decls, d)
	return d
}

func description(atoms []*spec) string {
	for _, a := range atoms {
		if text := strings.TrimSpace(a.doc); text != "" {
			return text
		}
	}
	return ""
}

var allTypes = []string{"string", "integer", "number", "boolean", "object", "array", "null"}

func (b *typer) build(t *typing, atoms []*spec, done []choiceKey) *pyType {
	hint := t.hint
	m := gather(atoms, done...)
	if m.never {
		return neverType
	}
	var nullable *pyType
	if m.nullable {
		nullable = noneType
	}
	if m.hasEnum {
		return union(b.literal(m), nullable)
	}
	for _, c := range m.choices {
		if !c.shapes() {
			continue
		}
		var members []*pyType
		for i, v := range c.variants {
			if i > maxUnion {
				return anyType
			}
			if c.alone(atoms) {
				members = append(members, b.of(hint, v)) // the same type as wherever else it stands
				continue
			}
			members = append(members, b.merge(hint, conjunction(append(slices.Clone(atoms), v)...), append(slices.Clone(done), c.choiceKey)))
		}
		return union(append(members, nullable)...)
	}
	types := m.types
	if len(types) == 0 {
		types = m.implied(atoms)
	}
	if len(types) == 0 || len(types) >= len(allTypes)-1 { // all, or all but integer, which number includes
		return anyType
	}
	t.dict = len(types) == 1 && types[0] == "object" && nullable == nil
	var members []*pyType
	for _, name := range types {
		switch name {
		case "string":
			members = append(members, b.text(atoms))
		case "integer":
			members = append(members, named("int"))
		case "number":
			members = append(members, named("float"))
		case "boolean":
			members = append(members, named("bool"))
		case "null":
			members = append(members, noneType)
		case "array":
			members = append(members, b.array(hint, m))
		case "object":
			members = append(members, b.object(hint, atoms, done, m))
		}
	}
	return union(append(members, nullable)...)
}

// implied guesses the type of a schema that gives none from its other keywords.
func (m *merged) implied(atoms []*spec) []string {
	if len(m.props) > 0 || len(m.required) > 0 || len(m.open) > 0 || m.closed || len(m.patterns) > 0 {
		return []string{"object"}
	}
	if m.array {
		return []string{"array"}
	}
	for _, a := range atoms {
		if a.format != "" || a.patternSrc != "" || a.minLen != nil || a.maxLen != nil || a.encoding != "" {
			return []string{"string"}
		}
		if a.min != nil || a.max != nil || a.above != nil || a.below != nil || a.multiple != nil {
			return []string{"number"}
		}
	}
	return nil
}

// shapes says whether the variants differ in type, and not only in what they require or
// forbid.
func (c choice) shapes() bool {
	for _, v := range c.variants {
		for _, s := range conjunction(v) {
			if s.never || s.nullable || len(s.types) > 0 || s.hasEnum || len(s.props) > 0 || len(s.patterns) > 0 ||
				s.additional != nil || s.items != nil || len(s.prefix) > 0 {
				return true
			}
			for _, inner := range []choice{{variants: s.anyOf}, {variants: s.oneOf}} {
				if inner.shapes() {
					return true
				}
			}
		}
	}
	return false
}

// alone says whether the choice is all there is to know of a value's type.
func (c choice) alone(atoms []*spec) bool {
	if len(atoms) != 1 {
		return false
	}
	rest := *c.owner
	rest.doc = ""
	if c.choiceKey.oneOf {
		rest.oneOf = nil
	} else {
		rest.anyOf = nil
	}
	return rest.isTrue() && !rest.nullable && len(rest.depends) == 0
}

func (b *typer) text(atoms []*spec) *pyType {
	for _, a := range atoms {
		name := b.ofText(a)
		switch {
		case name == "":
		case b.input:
			return union(named(name), named("str"))
		default:
			return named(name)
		}
	}
	return named("str")
}

// ofText names the Python type that text of one schema is to a program: what it may pass
// in place of a str, or what it gets from Go. Elsewhere results are JSON, and "" is a str.
func (b *typer) ofText(s *spec) string {
	switch {
	case b.exact && s.python != "":
		return s.python
	case !b.input:
		return ""
	case s.encoding == "base64" || s.format == "byte" || s.format == "binary" || s.format == "bytes" || s.format == "base64":
		if b.exact { // a Go string, which takes text alone
			return ""
		}
		return "bytes"
	}
	return textTypes[s.format]
}

var textTypes = map[string]string{
	"date-time": "datetime", "date": "date", "time": "time", "duration": "timedelta", "uuid": "UUID",
}

// maxTuple bounds the positions of a tuple type; longer ones are lists.
const maxTuple = 12

func (b *typer) array(hint string, m *merged) *pyType {
	item := singular(hint)
	var rest *pyType
	closed := false
	if len(m.items) > 0 {
		if rest = b.of(item, m.items...); rest == neverType {
			rest, closed = nil, true
		}
	}
	if len(m.prefix) == 0 {
		if closed {
			return named("list", neverType)
		}
		if rest == nil {
			rest = anyType
		}
		return named("list", rest)
	}
	var members []*pyType
	for i, specs := range m.prefix {
		members = append(members, b.of(item+strconv.Itoa(i+1), specs...))
	}
	// Tuples travel as lists, so only a program can have one.
	if b.input && rest == nil && len(members) <= maxTuple {
		return named("tuple", members...)
	}
	if rest != nil {
		members = append(members, rest)
	} else if !closed {
		members = append(members, anyType)
	}
	return named("list", union(members...))
}

func (b *typer) object(hint string, atoms []*spec, done []choiceKey, m *merged) *pyType {
	if len(m.props) == 0 {
		return b.mapping(hint, m)
	}
	key := "object " + typingKey(atoms, done)
	if t := b.memo[key]; t != nil {
		return t.done
	}
	d := b.declare(hint, atoms, done)
	d.dict = true
	b.memo[key] = &typing{done: &pyType{decl: d}}
	for _, p := range m.props {
		t, said := b.member(p)
		if doc := said.String(); doc == d.doc || t.decl != nil && doc == t.decl.doc {
			said = remark{}
		}
		d.fields = append(d.fields, field{p.name, t, m.required[p.name], said})
	}
	if m.extra() {
		note := "Other keys are allowed."
		if !m.anything {
			if t := b.mapping(hint, m); len(t.args) == 2 && t.args[1].decl == nil {
				note = "Other keys: " + t.args[1].words() + "."
			}
		}
		d.doc = strings.TrimSpace(d.doc + "\n" + note)
	}
	return &pyType{decl: d}
}

// member is the type and the doc of one property.
func (b *typer) member(p mergedProperty) (*pyType, remark) {
	if len(p.specs) > 0 || len(p.alts) == 0 {
		return b.of(p.name, p.specs...), remarks(conjunction(p.specs...), b)
	}
	var members []*pyType
	var docs []string
	for _, s := range p.alts {
		members = append(members, b.of(p.name, s))
		if doc := documentation(conjunction(s), b); doc != "" && !contains(docs, doc) {
			docs = append(docs, doc)
		}
	}
	return union(members...), remark{text: strings.Join(docs, " / ")}
}

func (b *typer) mapping(hint string, m *merged) *pyType {
	var values []*pyType
	if !m.closed {
		for _, s := range m.open {
			values = append(values, b.of(singular(hint), s))
		}
		if len(m.open) == 0 && len(m.patterns) == 0 {
			values = append(values, anyType)
		}
	}
	for _, s := range m.patterns {
		values = append(values, b.of(singular(hint), s))
	}
	key := "str"
	if b.exact && m.key != "" {
		key = m.key
	}
	return named("dict", named(key), union(values...))
}
