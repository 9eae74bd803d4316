package openai

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// strictSchema puts a schema into the form that strict mode asks for: every property is
// required, and nothing else is allowed. It fails where that would change what the tool
// takes by more than nulls for what is left out.
func strictSchema(raw json.RawMessage) (json.RawMessage, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var schema map[string]any
	if decoder.Decode(&schema) != nil || schema["type"] != "object" {
		return nil, false
	}
	if _, ok := strict(schema, 0); !ok {
		return nil, false
	}
	text, err := json.Marshal(schema)
	return text, err == nil
}

// Keywords that strict mode knows with a meaning of its own or not at all.
var (
	notStrict = []string{
		"allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties", "propertyNames",
		"unevaluatedProperties", "unevaluatedItems", "prefixItems", "additionalItems", "contains", "minProperties", "maxProperties", "$dynamicRef",
	}
	dropped = []string{"default", "examples", "$schema", "$id", "title", "readOnly", "writeOnly", "deprecated", "contentEncoding", "contentMediaType", "uniqueItems"}
)

// maxStrictDepth is how deep the endpoints take nested schemas, with room.
const maxStrictDepth = 30

// strict rewrites a schema in place.
func strict(v any, depth int) (schema map[string]any, ok bool) {
	schema, isObject := v.(map[string]any)
	if !isObject || depth > maxStrictDepth {
		return nil, false // true, which allows everything
	}
	for _, keyword := range notStrict {
		if _, found := schema[keyword]; found {
			return nil, false
		}
	}
	for _, keyword := range dropped {
		delete(schema, keyword)
	}
	if choices, found := schema["oneOf"]; found {
		if schema["anyOf"] != nil {
			return nil, false
		}
		schema["anyOf"] = choices
		delete(schema, "oneOf")
	}
	for _, keyword := range []string{"$defs", "definitions"} {
		definitions, _ := schema[keyword].(map[string]any)
		for _, definition := range definitions {
			if _, ok := strict(definition, depth+1); !ok {
				return nil, false
			}
		}
	}
	choices, _ := schema["anyOf"].([]any)
	for _, choice := range choices {
		if _, ok := strict(choice, depth+1); !ok {
			return nil, false
		}
	}
	if items, found := schema["items"]; found {
		if _, ok := strict(items, depth+1); !ok {
			return nil, false
		}
	}
	types, _ := schema["type"].([]any)
	if kind, one := schema["type"].(string); one {
		types = []any{kind}
	}
	if slices.Contains(types, "array") && schema["items"] == nil {
		return nil, false
	}
	if slices.Contains(types, "object") || schema["properties"] != nil {
		return schema, strictObject(schema, depth)
	}
	known := len(types) > 0 || len(choices) > 0 || schema["$ref"] != nil || schema["enum"] != nil || schema["const"] != nil
	return schema, known
}

func strictObject(schema map[string]any, depth int) bool {
	if open, found := schema["additionalProperties"]; found && open != false {
		return false
	}
	properties, _ := schema["properties"].(map[string]any)
	if depth > 0 && len(properties) == 0 {
		return false // a nested object of which nothing is said takes any keys
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if name, ok := name.(string); !ok || properties[name] == nil {
			return false
		}
	}
	for name, property := range properties {
		property, ok := strict(property, depth+1)
		if !ok {
			return false
		}
		if !slices.Contains(required, any(name)) {
			optional := map[string]any{"anyOf": []any{property, map[string]any{"type": "null"}}}
			if description, found := property["description"]; found {
				delete(property, "description")
				optional["description"] = description
			}
			properties[name] = optional
		}
	}
	schema["additionalProperties"] = false
	schema["properties"] = properties
	if properties == nil {
		schema["properties"] = map[string]any{}
	}
	names := slices.Sorted(maps.Keys(properties))
	if names == nil {
		names = []string{}
	}
	schema["required"] = names
	return true
}
