package schema

import (
	"strconv"
	"strings"
)

// typeNames maps what tool lists write for a type, in lower case, to JSON Schema's name;
// "" means that every value is allowed.
var typeNames = map[string]string{
	"object": "object", "dict": "object", "dictionary": "object", "map": "object", "mapping": "object",
	"hashmap": "object", "hashtable": "object", "struct": "object", "record": "object",
	"array": "array", "list": "array", "tuple": "array", "arraylist": "array", "set": "array",
	"sequence": "array", "queue": "array", "stack": "array", "vector": "array", "linkedlist": "array",
	"string": "string", "str": "string", "char": "string", "text": "string", "character": "string",
	"number": "number", "float": "number", "double": "number", "decimal": "number", "numeric": "number",
	"float32": "number", "float64": "number", "real": "number",
	"integer": "integer", "int": "integer", "long": "integer", "short": "integer", "byte": "integer",
	"bigint": "integer", "int8": "integer", "int16": "integer", "int32": "integer", "int64": "integer",
	"uint": "integer", "uint8": "integer", "uint16": "integer", "uint32": "integer", "uint64": "integer",
	"boolean": "boolean", "bool": "boolean",
	"null": "null", "none": "null", "nonetype": "null", "nil": "null",
	"any": "", "": "", "mixed": "", "unknown": "", "undefined": "",
}

// typeFormats are type names that mean a string of a certain format.
var typeFormats = map[string]string{
	"datetime": "date-time", "date-time": "date-time", "timestamp": "date-time",
	"date": "date", "time": "time", "uuid": "uuid", "url": "uri", "uri": "uri", "email": "email",
}

// Where keywords hold schemas; everything else in a document is data and stays as it is.
var (
	schemaKeywords     = []string{"items", "additionalItems", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "not", "if", "then", "else", "contentSchema"}
	schemaListKeywords = []string{"prefixItems", "allOf", "anyOf", "oneOf", "items"}
	schemaMapKeywords  = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
	stringKeywords     = []string{"title", "description", "format", "pattern", "contentEncoding", "contentMediaType", "$comment"}
	numberKeywords     = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
	countKeywords      = []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"}
	truthKeywords      = []string{"uniqueItems", "deprecated", "readOnly", "writeOnly"}
)

// subschemas calls f for every schema directly below n.
func subschemas(n *node, f func(child *node)) {
	if !n.is(objectNode) {
		return
	}
	for _, k := range schemaKeywords {
		if c := n.get(k); c.is(objectNode) || c.is(boolNode) {
			f(c)
		}
	}
	for _, k := range schemaListKeywords {
		if c := n.get(k); c.is(arrayNode) {
			for _, item := range c.items {
				f(item)
			}
		}
	}
	for _, k := range schemaMapKeywords {
		if c := n.get(k); c.is(objectNode) {
			for _, key := range c.keys {
				if v := c.get(key); v.is(objectNode) || v.is(boolNode) {
					f(v)
				}
			}
		}
	}
}

// normalise rewrites in place what the field writes but JSON Schema does not know, and
// reports whether anything was.
func normalise(n *node) bool {
	if !n.is(objectNode) {
		return false
	}
	changed := normaliseShapes(n)
	changed = normaliseType(n) || changed
	changed = normaliseRequired(n) || changed
	subschemas(n, func(child *node) { changed = normalise(child) || changed })
	return changed
}

// normaliseType replaces type names of other languages.
func normaliseType(n *node) bool {
	t := n.get("type")
	switch {
	case t.is(stringNode):
		name, format, known := typeName(t.text)
		if name == t.text {
			return false
		}
		if !known {
			// Kept where a reader sees it: nothing can be checked, but it may mean something to them.
			note := "(" + strings.TrimSpace(t.text) + ")"
			if d := n.str("description"); d != "" {
				note = d + " " + note
			}
			n.set("description", stringValue(note))
		}
		if name == "" {
			n.remove("type")
		} else {
			n.set("type", stringValue(name))
		}
		if format != "" && n.get("format") == nil {
			n.set("format", stringValue(format))
		}
		return true
	case t.is(arrayNode):
		changed, open := false, len(t.items) == 0
		seen := map[string]bool{}
		var items []*node
		for _, item := range t.items {
			if !item.is(stringNode) {
				continue // refused when the document is compiled
			}
			name, _, _ := typeName(item.text)
			changed = changed || name != item.text
			if name == "" {
				open = true
			} else if !seen[name] {
				seen[name] = true
				items = append(items, stringValue(name))
			}
		}
		changed = changed || len(items) != len(t.items)
		if open {
			n.remove("type")
		} else if changed && len(items) > 0 {
			n.set("type", &node{kind: arrayNode, items: items})
		}
		return changed || open
	case t.is(objectNode), t.is(nullNode):
		// {"type": null}, and a property called type in a document that forgot "properties".
		n.remove("type")
		return true
	}
	return false
}

func typeName(name string) (jsonName, format string, known bool) {
	key := strings.ToLower(strings.TrimSpace(name))
	if base, rest, ok := strings.Cut(key, "["); ok && rest != "" {
		if base == "" {
			base = "array"
		}
		key = base // list[str]
	} else if base, _, ok := strings.Cut(key, "<"); ok {
		key = base // ArrayList<String>
	}
	if jsonName, ok := typeNames[key]; ok {
		return jsonName, "", true
	}
	if format, ok := typeFormats[key]; ok {
		return "string", format, true
	}
	return "", "", false
}

// normaliseRequired turns draft-03's "required": true inside a property into the list of
// the object around it, and a lone name into a list of one.
func normaliseRequired(n *node) bool {
	changed := false
	if r := n.get("required"); r.is(stringNode) {
		n.set("required", &node{kind: arrayNode, items: []*node{r}})
		changed = true
	} else if r.is(arrayNode) {
		seen := map[string]bool{}
		var items []*node
		for _, item := range r.items {
			if !item.is(stringNode) || !seen[item.text] {
				items = append(items, item)
			}
			if item.is(stringNode) {
				seen[item.text] = true
			}
		}
		if len(items) != len(r.items) {
			n.set("required", &node{kind: arrayNode, items: items})
			changed = true
		}
	}
	props := n.get("properties")
	if !props.is(objectNode) {
		return changed
	}
	for _, key := range props.keys {
		p := props.get(key)
		if !p.is(objectNode) {
			continue
		}
		r := p.get("required")
		if !r.is(boolNode) {
			continue
		}
		p.remove("required")
		changed = true
		if !r.truth {
			continue
		}
		list := n.get("required")
		if !list.is(arrayNode) {
			list = &node{kind: arrayNode}
			n.set("required", list)
		}
		present := false
		for _, item := range list.items {
			present = present || item.is(stringNode) && item.text == key
		}
		if !present {
			list.items = append(list.items, stringValue(key))
		}
	}
	return changed
}

// normaliseShapes repairs keywords whose value has the wrong JSON type but one meaning.
func normaliseShapes(n *node) bool {
	changed := false
	for _, key := range append([]string(nil), n.keys...) {
		if n.get(key).is(nullNode) && key != "default" && key != "const" {
			n.remove(key)
			changed = true
		}
	}
	for _, key := range schemaMapKeywords {
		if v := n.get(key); v.is(arrayNode) && len(v.items) == 0 { // what PHP makes of an empty object
			n.set(key, newObject())
			changed = true
		}
	}
	for _, key := range stringKeywords {
		if v := n.get(key); v != nil && v.kind != stringNode {
			if v.is(numberNode) {
				n.set(key, stringValue(v.text))
			} else {
				n.remove(key)
			}
			changed = true
		}
	}
	for _, key := range append(numberKeywords, countKeywords...) {
		if v := n.get(key); v.is(stringNode) {
			if text := strings.TrimSpace(v.text); isNumber(text) {
				n.set(key, &node{kind: numberNode, text: text})
				changed = true
			}
		}
	}
	for _, key := range truthKeywords {
		if v := n.get(key); v.is(stringNode) && (v.text == "true" || v.text == "false") {
			n.set(key, boolValue(v.text == "true"))
			changed = true
		} else if v != nil && v.kind != boolNode && key != "uniqueItems" {
			n.remove(key)
			changed = true
		}
	}
	if v := n.get("examples"); v != nil && v.kind != arrayNode {
		n.set("examples", &node{kind: arrayNode, items: []*node{v}})
		changed = true
	}
	// Draft-04: a boolean that makes the bound beside it exclusive.
	for _, pair := range [][2]string{{"exclusiveMinimum", "minimum"}, {"exclusiveMaximum", "maximum"}} {
		v := n.get(pair[0])
		if !v.is(boolNode) {
			continue
		}
		n.remove(pair[0])
		if bound := n.get(pair[1]); v.truth && bound.is(numberNode) {
			n.remove(pair[1])
			n.set(pair[0], bound)
		}
		changed = true
	}
	return changed
}

// isNumber says whether text is a JSON number.
func isNumber(text string) bool {
	if _, err := strconv.ParseFloat(text, 64); err != nil && !strings.Contains(err.Error(), "out of range") {
		return false
	}
	return strings.Trim(text, "0123456789+-.eE") == "" && jsonNumber.MatchString(text)
}
