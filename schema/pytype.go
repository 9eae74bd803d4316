package schema

import (
	"sort"
	"strconv"
	"strings"
)

// A pyType is a Python type expression. Names are resolved when it is printed, because a
// tool called list makes list mean something else in its scope.
type pyType struct {
	name     string    // builtin or imported name; "|" for a union, "Literal", "" for decl
	args     []*pyType // of a generic or union
	literals []string  // Python source of a Literal's members
	decl     *decl
}

func named(name string, args ...*pyType) *pyType { return &pyType{name: name, args: args} }

var (
	anyType   = named("Any")
	noneType  = named("None")
	neverType = named("Never")
)

// A decl is a named type of the module.
type decl struct {
	id     int
	names  []string // candidates for the name, best first
	name   string   // given when a module is put together
	doc    string
	fields []field // of a TypedDict
	dict   bool    // false: an alias for body
	body   *pyType
}

type field struct {
	key      string
	typ      *pyType
	required bool
	doc      remark
}

// identity is a text that is the same for the same type within one set of decls.
func (t *pyType) identity() string {
	var b strings.Builder
	t.write(&b, func(name string) string { return name }, func(d *decl) string { return "#" + strconv.Itoa(d.id) })
	return b.String()
}

// write prints the type with names spelled by resolve and declName.
func (t *pyType) write(b *strings.Builder, resolve func(string) string, declName func(*decl) string) {
	list := func(sep string) {
		for i, a := range t.args {
			if i > 0 {
				b.WriteString(sep)
			}
			a.write(b, resolve, declName)
		}
	}
	switch {
	case t.decl != nil:
		b.WriteString(declName(t.decl))
	case t.name == "|":
		list(" | ")
	case t.name == "None":
		b.WriteString("None")
	case len(t.literals) > 0:
		b.WriteString(resolve("Literal") + "[" + strings.Join(t.literals, ", ") + "]")
	default:
		b.WriteString(resolve(t.name))
		if len(t.args) > 0 {
			b.WriteByte('[')
			list(", ")
			b.WriteByte(']')
		}
	}
}

// union flattens, removes what is there twice, and puts None last.
func union(types ...*pyType) *pyType {
	var members []*pyType
	seen := map[string]bool{}
	none := false
	var literal *pyType
	var add func(*pyType)
	add = func(t *pyType) {
		switch {
		case t == nil || t == neverType:
			return
		case t.name == "|":
			for _, a := range t.args {
				add(a)
			}
			return
		case t.name == "None":
			none = true
			return
		case len(t.literals) > 0 && literal != nil:
			for _, l := range t.literals {
				if !contains(literal.literals, l) {
					literal.literals = append(literal.literals, l)
				}
			}
			return
		}
		if id := t.identity(); !seen[id] {
			seen[id] = true
			if len(t.literals) > 0 {
				t = &pyType{name: "Literal", literals: append([]string(nil), t.literals...)}
				literal = t
			}
			members = append(members, t)
		}
	}
	for _, t := range types {
		add(t)
	}
	if seen["Any"] || len(members) > maxUnion {
		return anyType
	}
	if seen["float"] && seen["int"] { // float takes int in Python's type system
		kept := members[:0]
		for _, m := range members {
			if m.name != "int" {
				kept = append(kept, m)
			}
		}
		members = kept
	}
	if none {
		members = append(members, noneType)
	}
	switch len(members) {
	case 0:
		return neverType
	case 1:
		return members[0]
	}
	return named("|", members...)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// eachDecl calls f for every decl the type mentions directly.
func (t *pyType) eachDecl(f func(*decl)) {
	if t == nil {
		return
	}
	if t.decl != nil {
		f(t.decl)
	}
	for _, a := range t.args {
		a.eachDecl(f)
	}
}

func (d *decl) eachDecl(f func(*decl)) {
	d.body.eachDecl(f)
	for _, fl := range d.fields {
		fl.typ.eachDecl(f)
	}
}

// shareDecls makes decls that describe the same type one: it returns the one that stands
// for each. Recursive types are compared by refining classes until nothing splits.
func shareDecls(decls []*decl) map[*decl]*decl {
	class := make(map[*decl]int, len(decls))
	for count := 1; ; {
		keys := map[string]int{}
		next := make(map[*decl]int, len(decls))
		for _, d := range decls {
			key := d.shape(func(o *decl) string { return strconv.Itoa(class[o]) })
			key += "\x00" + strconv.Itoa(class[d])
			n, ok := keys[key]
			if !ok {
				n = len(keys)
				keys[key] = n
			}
			next[d] = n
		}
		class = next
		if len(keys) == count {
			break
		}
		count = len(keys)
	}
	first := map[int]*decl{}
	result := make(map[*decl]*decl, len(decls))
	for _, d := range decls {
		if first[class[d]] == nil {
			first[class[d]] = d
		}
		result[d] = first[class[d]]
	}
	return result
}

// shape is all of a decl but its final name.
func (d *decl) shape(ref func(*decl) string) string {
	var b strings.Builder
	same := func(name string) string { return name }
	b.WriteString(strings.Join(d.names[:1], "") + "\x00" + d.doc + "\x00")
	if d.body != nil {
		d.body.write(&b, same, ref)
	}
	for _, f := range d.fields {
		b.WriteString("\x00" + strconv.Quote(f.key) + strconv.FormatBool(f.required) + f.doc.String() + "\x00")
		f.typ.write(&b, same, ref)
	}
	return b.String()
}

// nameDecls gives every decl its name, in order: the first candidate that is free, else
// the last with a number.
func nameDecls(decls []*decl, taken map[string]bool) {
	for _, d := range decls {
		base := d.names[len(d.names)-1]
		for _, n := range d.names {
			if !taken[n] {
				base = n
				break
			}
		}
		name := base
		for i := 2; taken[name]; i++ {
			name = base + strconv.Itoa(i)
		}
		taken[name] = true
		d.name = name
	}
}

// inOrder puts decls before those that use them where the recursion allows it.
func inOrder(decls []*decl) []*decl {
	known := map[*decl]bool{}
	for _, d := range decls {
		known[d] = true
	}
	var list []*decl
	seen := map[*decl]bool{}
	var visit func(*decl)
	visit = func(d *decl) {
		if seen[d] || !known[d] {
			return
		}
		seen[d] = true
		d.eachDecl(visit)
		list = append(list, d)
	}
	for _, d := range decls {
		visit(d)
	}
	return list
}

// replaceDecls points every mention of a decl at the one that stands for it.
func (t *pyType) replaceDecls(by map[*decl]*decl) {
	if t == nil {
		return
	}
	if to, ok := by[t.decl]; ok && t.decl != nil {
		t.decl = to
	}
	for _, a := range t.args {
		a.replaceDecls(by)
	}
}

// camel makes a class name: issue_fields -> IssueFields. What is left of a name without
// letters is "".
func camel(name string) string {
	var b strings.Builder
	upper := true
	for _, r := range identifier(name) {
		if r == '_' {
			upper = true
			continue
		}
		if upper && r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		upper = false
		b.WriteRune(r)
	}
	s := b.String()
	if s == "" {
		return ""
	}
	return identifier(s)
}

// singular guesses the name of one item of a list.
func singular(name string) string {
	switch {
	case len(name) < 4, strings.HasSuffix(name, "ss"), strings.HasSuffix(name, "us"), strings.HasSuffix(name, "is"):
		return name
	case strings.HasSuffix(name, "ies"):
		return name[:len(name)-3] + "y"
	case strings.HasSuffix(name, "sses"), strings.HasSuffix(name, "xes"), strings.HasSuffix(name, "ches"), strings.HasSuffix(name, "shes"):
		return name[:len(name)-2]
	case strings.HasSuffix(name, "s"):
		return name[:len(name)-1]
	}
	return name
}

func sortedSet(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	sort.Strings(list)
	return list
}
