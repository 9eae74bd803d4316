package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

func (b *typer) literal(m *merged) *pyType {
	var literals []string
	var others []*pyType
	for _, v := range m.enum {
		switch v := v.(type) {
		case nil:
			others = append(others, noneType)
		case []any:
			others = append(others, named("list", anyType))
		case map[string]any:
			others = append(others, named("dict", named("str"), anyType))
		default:
			text, kind := pythonScalar(v, slices.Contains(m.types, "integer"))
			if kind == "float" || text == "" {
				others = append(others, named(kind))
			} else if !contains(literals, text) {
				literals = append(literals, text)
			}
			if len(literals) > maxLiteral {
				others = append(others, named(kind))
				for _, v := range m.enum {
					if _, kind := pythonScalar(v, false); kind != "" {
						others = append(others, named(kind))
					}
				}
				return union(others...)
			}
		}
	}
	if len(literals) > 0 {
		others = append([]*pyType{{name: "Literal", literals: literals}}, others...)
	}
	return union(others...)
}

// pythonScalar writes a JSON scalar as Python source and says its type. The text is empty
// if it would be too long. preferInt writes 5.0 as 5.
func pythonScalar(v any, preferInt bool) (text, kind string) {
	switch v := v.(type) {
	case nil:
		return "None", "None"
	case bool:
		if v {
			return "True", "bool"
		}
		return "False", "bool"
	case string:
		if len(v) > maxLiteralText {
			return "", "str"
		}
		return pythonString(v), "str"
	case json.Number:
		n := numberOf(v)
		if n == nil {
			return "", ""
		}
		isInt := !strings.ContainsAny(n.text, ".eE")
		if !isInt && preferInt && n.rat != nil && n.rat.IsInt() {
			isInt = true
			n.text = n.rat.Num().String()
		}
		kind = "float"
		if isInt {
			kind = "int"
		}
		if len(n.text) > maxLiteralText {
			return "", kind
		}
		if n.text == "-0" {
			n.text = "0"
		}
		return n.text, kind
	}
	return "", ""
}
