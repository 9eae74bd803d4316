package schema

import (
	"fmt"
	"math"
	"strings"
)

// documentation is what a reader should know of a value besides its type: the
// description, then units and constraints that the type does not show.
func documentation(atoms []*spec, b *typer) string { return remarks(atoms, b).String() }

// A remark is a description and, apart from it, the constraints.
type remark struct {
	text   string
	limits []string
}

func (r remark) String() string {
	if len(r.limits) == 0 {
		return r.text
	}
	if r.text == "" {
		return strings.Join(r.limits, "; ")
	}
	return r.text + " (" + strings.Join(r.limits, "; ") + ")"
}

func remarks(atoms []*spec, b *typer) remark {
	text := description(atoms)
	limits := constraints(atoms, b)
	for _, a := range atoms {
		if a.items == nil || len(a.prefix) > 0 {
			continue
		}
		items := conjunction(a.items)
		var each []string
		if !declares(items) {
			if d := description(items); d != "" && len(d) <= 300 {
				each = append(each, d)
			}
		}
		each = append(each, constraints(items, b)...)
		if len(each) > 0 {
			limits = append(limits, "each: "+strings.Join(each, ", "))
		}
		break
	}
	return remark{text, limits}
}

// declares says whether a description is shown at a type of its own.
func declares(atoms []*spec) bool {
	for _, a := range atoms {
		if len(a.props) > 0 {
			return true
		}
	}
	return false
}

func constraints(atoms []*spec, b *typer) []string {
	var list []string
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !contains(list, text) {
			list = append(list, text)
		}
	}
	for _, a := range atoms {
		low, high := bound(a.min), bound(a.max)
		switch {
		case low != "" && high != "":
			add("%s to %s", low, high)
		case low != "":
			add("at least %s", low)
		case high != "":
			add("at most %s", high)
		}
		if limit := bound(a.above); limit != "" {
			add("more than %s", limit)
		}
		if limit := bound(a.below); limit != "" {
			add("less than %s", limit)
		}
		if a.multiple != nil && a.multiple.text != "1" {
			add("multiple of %s", shorten(a.multiple.text, maxShownValue))
		}
		addCount(add, a.minLen, a.maxLen, "character")
		addCount(add, a.minItems, a.maxItems, "item")
		addCount(add, a.minProps, a.maxProps, "key")
		if a.patternSrc != "" {
			add("matches %s", shorten(a.patternSrc, 200))
		}
		if a.unique {
			add("no duplicates")
		}
		shown := b.ofText(a)
		if shown == "datetime" && b.exact && b.input && a.python == shown && len(a.types) > 0 && a.types[0] == "string" {
			add("with a timezone")
		}
		switch a.format {
		case "", "int32", "int64", "float", "double", "uint32", "uint64", "string":
		case "date-time", "date", "time", "duration", "uuid", "byte", "bytes", "base64", "binary":
			if shown == "" {
				add("%s", a.format)
			}
		default:
			add("%s", shorten(a.format, maxShownValue))
		}
		switch {
		case a.encoding == "base64" && shown != "" && b.input:
			add("base64 if str")
		case a.encoding != "" && shown == "":
			add("%s", shorten(a.encoding, maxShownValue))
		}
		if p := a.propNames; p != nil {
			if rule := keyRule(p); rule != "" {
				add("%s", strings.TrimPrefix(rule, ", "))
			}
		}
		if a.deprecated {
			add("deprecated")
		}
		if floats := floatChoices(a); floats != "" {
			add("%s", floats)
		}
	}
	if len(list) == 0 && description(atoms) == "" {
		for _, a := range atoms {
			if len(a.examples) > 0 {
				if text, _ := pythonScalar(a.examples[0], false); text != "" {
					add("e.g. %s", text)
				}
			}
		}
	}
	return list
}

// floatChoices lists an enum that Literal cannot hold.
func floatChoices(s *spec) string {
	for _, v := range s.enum {
		if _, kind := pythonScalar(v, false); kind == "float" {
			return showChoices(s.enum)
		}
	}
	return ""
}

// bound is the text of a limit, unless it only says what fits into a machine word.
func bound(n *number) string {
	if n == nil || math.Abs(n.f) >= 1<<53-1 {
		return ""
	}
	return shorten(n.text, maxShownValue)
}

func addCount(add func(string, ...any), least, most *int, what string) {
	if most != nil && *most == math.MaxInt32 {
		most = nil
	}
	switch {
	case least != nil && most != nil && *least == *most:
		add("%s", count(*least, what))
	case least != nil && most != nil:
		add("%d to %s", *least, count(*most, what))
	case least != nil && *least > 0:
		add("at least %s", count(*least, what))
	case most != nil:
		add("at most %s", count(*most, what))
	}
}

// alternatives says which arguments go together, where that is all a choice is about.
func alternatives(atoms []*spec, spell map[string]string) []string {
	var list []string
	for _, c := range gather(atoms).choices {
		if c.shapes() {
			continue
		}
		var parts []string
		for _, v := range c.variants {
			var names []string
			for _, s := range conjunction(v) {
				for _, name := range s.required {
					if p, ok := spell[name]; ok {
						name = p
					}
					names = append(names, oneLine(name))
				}
			}
			if len(names) > 0 {
				parts = append(parts, strings.Join(names, " and "))
			}
		}
		if len(parts) < 2 {
			continue
		}
		words := "Give at least one of: "
		if c.oneOf {
			words = "Give exactly one of: "
		}
		list = append(list, words+strings.Join(parts, "; ")+".")
	}
	return list
}
