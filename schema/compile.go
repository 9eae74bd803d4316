package schema

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A spec is one schema of a document, ready to check values and to become a type.
type spec struct {
	id         int
	never      bool // the schema false
	types      []string
	nullable   bool // OpenAPI 3.0
	title      string
	doc        string
	name       string // last part of the pointer that leads to a definition
	format     string
	encoding   string
	python     string // what pythonMark said; only of Go types
	patternSrc string
	pattern    *regexp.Regexp // nil if there is none or Go cannot express it
	deprecated bool

	enum     []any
	hasEnum  bool // const is an enum of one
	fallback any
	hasDef   bool
	examples []any

	min, max, above, below, multiple *number
	minLen, maxLen                   *int
	minItems, maxItems               *int
	minProps, maxProps               *int
	minContains, maxContains         *int
	unique                           bool

	props      []property
	propIndex  map[string]int
	patterns   []patternProperty
	additional *spec
	propNames  *spec
	required   []string
	depends    []dependency
	prefix     []*spec
	items      *spec
	contains   *spec
	restItems  *spec // unevaluatedItems
	restProps  *spec // unevaluatedProperties

	allOf, anyOf, oneOf []*spec
	not, cond, yes, no  *spec
	target              *spec // of $ref
	dynamic             *spec // of $dynamicRef

	tracks bool // on the root: something in the document is unevaluated*
}

type property struct {
	name string
	spec *spec
}

type patternProperty struct {
	src  string
	re   *regexp.Regexp
	spec *spec
}

// dependency is what a property's presence asks for: other properties, a schema, or both.
type dependency struct {
	on       string
	required []string
	spec     *spec
}

type compiler struct {
	root      *node
	draft7    bool
	specs     map[*node]*spec
	bases     map[*node]string
	resources map[string]*node // by absolute or root-relative URI without fragment
	anchors   map[string]*node // by URI#name
	pending   []pendingRef
	tracks    bool
}

func compile(doc *node) (*spec, error) {
	c := &compiler{
		root: doc, specs: map[*node]*spec{}, bases: map[*node]string{},
		resources: map[string]*node{"": doc}, anchors: map[string]*node{},
	}
	c.draft7 = strings.Contains(doc.str("$schema"), "draft-07") || strings.Contains(doc.str("$schema"), "draft-04") || strings.Contains(doc.str("$schema"), "draft-06")
	root, err := c.compile(doc, "", "")
	if err != nil {
		return nil, err
	}
	for len(c.pending) > 0 {
		p := c.pending[0]
		c.pending = c.pending[1:]
		target, name, err := c.resolve(p)
		if err != nil {
			return nil, err
		}
		s, err := c.compile(target, c.bases[target], name)
		if err != nil {
			return nil, err
		}
		if s.name == "" {
			s.name = name
		}
		if p.dyn {
			p.from.dynamic = s
		} else {
			p.from.target = s
		}
	}
	root.tracks = c.tracks
	if err := refuseCircles(root, c.specs); err != nil {
		return nil, err
	}
	return root, nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "JSON Schema: "+format, args...)
}

func (c *compiler) compile(n *node, base, name string) (*spec, error) {
	if s, ok := c.specs[n]; ok {
		return s, nil
	}
	s := &spec{id: len(c.specs), name: name}
	c.specs[n] = s
	if n.is(boolNode) {
		s.never = !n.truth
		c.bases[n] = base
		return s, nil
	}
	if !n.is(objectNode) {
		return nil, invalid("a schema is an object or a boolean, not %s", shorten(string(encoded(n)), maxShownValue))
	}
	ignoreSiblings := c.draft7 && n.get("$ref").is(stringNode)
	if id := n.str("$id"); id != "" && !ignoreSiblings {
		abs := joinURI(base, id)
		abs, fragment, _ := strings.Cut(abs, "#")
		if fragment == "" {
			base = abs
			c.resources[base] = n
		} else {
			c.anchors[abs+"#"+fragment] = n
		}
	}
	c.bases[n] = base
	for _, key := range []string{"$anchor", "$dynamicAnchor"} {
		if a := n.str(key); a != "" {
			c.anchors[base+"#"+a] = n
		}
	}
	if ref := n.str("$ref"); ref != "" {
		c.pending = append(c.pending, pendingRef{s, ref, base, false})
	}
	if ref := n.str("$dynamicRef"); ref != "" {
		c.pending = append(c.pending, pendingRef{s, ref, base, true})
	}
	s.title, s.doc = n.str("title"), n.str("description")
	if err := c.definitions(n, base); err != nil {
		return nil, err
	}
	if ignoreSiblings {
		return s, nil
	}
	if err := c.scalars(s, n); err != nil {
		return nil, err
	}
	return s, c.applicators(s, n, base)
}

func (c *compiler) definitions(n *node, base string) error {
	for _, key := range []string{"$defs", "definitions"} {
		defs := n.get(key)
		if !defs.is(objectNode) {
			continue
		}
		for _, name := range defs.keys {
			if _, err := c.compile(defs.get(name), base, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compiler) scalars(s *spec, n *node) error {
	switch t := n.get("type"); {
	case t.is(stringNode):
		s.types = []string{t.text}
	case t.is(arrayNode):
		for _, item := range t.items {
			if !item.is(stringNode) {
				return invalid("type holds %s", shorten(string(encoded(item)), maxShownValue))
			}
			s.types = append(s.types, item.text)
		}
	case t != nil:
		return invalid("type is %s", shorten(string(encoded(t)), maxShownValue))
	}
	s.nullable = n.get("nullable").is(boolNode) && n.get("nullable").truth
	s.format, s.encoding, s.patternSrc = n.str("format"), n.str("contentEncoding"), n.str("pattern")
	if mark := n.str(pythonMark); markedTypes[mark] {
		s.python = mark
	}
	s.pattern = compilePattern(s.patternSrc)
	s.deprecated = n.get("deprecated").is(boolNode) && n.get("deprecated").truth
	s.unique = n.get("uniqueItems").is(boolNode) && n.get("uniqueItems").truth
	if e := n.get("enum"); e.is(arrayNode) {
		s.enum, s.hasEnum = e.plain().([]any), true
	} else if e != nil {
		return invalid("enum is not a list")
	}
	if v := n.get("const"); v != nil {
		only := v.plain()
		if !s.hasEnum || containsValue(s.enum, only) {
			s.enum = []any{only}
		} else {
			s.enum = []any{} // an enum without its const: nothing is allowed
		}
		s.hasEnum = true
	}
	if v := n.get("default"); v != nil {
		s.fallback, s.hasDef = v.plain(), true
	}
	if v := n.get("examples"); v.is(arrayNode) {
		s.examples, _ = v.plain().([]any)
	}
	for key, dst := range map[string]**number{"minimum": &s.min, "maximum": &s.max, "exclusiveMinimum": &s.above, "exclusiveMaximum": &s.below, "multipleOf": &s.multiple} {
		if v := n.get(key); v.is(numberNode) {
			*dst = numberOf(json.Number(v.text))
		} else if v != nil {
			return invalid("%s is not a number", key)
		}
	}
	for key, dst := range map[string]**int{"minLength": &s.minLen, "maxLength": &s.maxLen, "minItems": &s.minItems, "maxItems": &s.maxItems, "minProperties": &s.minProps, "maxProperties": &s.maxProps, "minContains": &s.minContains, "maxContains": &s.maxContains} {
		if v := n.get(key); v.is(numberNode) {
			f, err := strconv.ParseFloat(v.text, 64)
			if err != nil && !math.IsInf(f, 0) || f < 0 || f != math.Trunc(f) {
				return invalid("%s is not a count: %s", key, shorten(v.text, maxShownValue))
			}
			count := int(min(f, math.MaxInt32))
			*dst = &count
		} else if v != nil {
			return invalid("%s is not a number", key)
		}
	}
	if r := n.get("required"); r.is(arrayNode) {
		for _, item := range r.items {
			if !item.is(stringNode) {
				return invalid("required holds %s", shorten(string(encoded(item)), maxShownValue))
			}
			s.required = append(s.required, item.text)
		}
	}
	return nil
}

func (c *compiler) applicators(s *spec, n *node, base string) error {
	var failed error
	sub := func(child *node) *spec {
		if child == nil || failed != nil {
			return nil
		}
		r, err := c.compile(child, base, "")
		if err != nil {
			failed = err
			return nil
		}
		return r
	}
	list := func(key string) []*spec {
		v := n.get(key)
		if v == nil {
			return nil
		}
		if !v.is(arrayNode) {
			failed = invalid("%s is not a list of schemas", key)
			return nil
		}
		var specs []*spec
		for _, item := range v.items {
			specs = append(specs, sub(item))
		}
		return specs
	}
	if props := n.get("properties"); props.is(objectNode) {
		s.propIndex = make(map[string]int, len(props.keys))
		for _, key := range props.keys {
			s.propIndex[key] = len(s.props)
			s.props = append(s.props, property{key, sub(props.get(key))})
		}
	} else if props != nil {
		return invalid("properties is not an object")
	}
	if patterns := n.get("patternProperties"); patterns.is(objectNode) {
		for _, src := range patterns.keys {
			s.patterns = append(s.patterns, patternProperty{src, compilePattern(src), sub(patterns.get(src))})
		}
	}
	for _, key := range []string{"dependentRequired", "dependentSchemas", "dependencies"} {
		deps := n.get(key)
		if !deps.is(objectNode) {
			continue
		}
		for _, on := range deps.keys {
			d := dependency{on: on}
			if v := deps.get(on); v.is(arrayNode) {
				for _, item := range v.items {
					d.required = append(d.required, item.text)
				}
			} else {
				d.spec = sub(v)
			}
			s.depends = append(s.depends, d)
		}
	}
	if items := n.get("items"); items.is(arrayNode) {
		s.prefix = list("items")
		s.items = sub(n.get("additionalItems"))
	} else {
		s.prefix = list("prefixItems")
		s.items = sub(items)
	}
	s.additional, s.propNames = sub(n.get("additionalProperties")), sub(n.get("propertyNames"))
	s.contains = sub(n.get("contains"))
	s.restItems, s.restProps = sub(n.get("unevaluatedItems")), sub(n.get("unevaluatedProperties"))
	c.tracks = c.tracks || s.restItems != nil || s.restProps != nil
	s.allOf, s.anyOf, s.oneOf = list("allOf"), list("anyOf"), list("oneOf")
	s.not, s.cond = sub(n.get("not")), sub(n.get("if"))
	if s.cond != nil {
		s.yes, s.no = sub(n.get("then")), sub(n.get("else"))
	}
	return failed
}

var escapedUnicode = regexp.MustCompile(`\\u([0-9a-fA-F]{4})`)

// compilePattern gives nil for what Go's engine cannot express.
func compilePattern(src string) *regexp.Regexp {
	if src == "" {
		return nil
	}
	src = escapedUnicode.ReplaceAllString(src, `\x{$1}`)
	re, err := regexp.Compile(src)
	if err != nil {
		return nil
	}
	return re
}

func encoded(n *node) []byte {
	var b bytes.Buffer
	n.encode(&b)
	return b.Bytes()
}
