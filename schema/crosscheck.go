package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// checkCompiles has the document compiled by the validator the rest of the Go ecosystem
// uses (the MCP SDK panics on what it refuses), so that a schema we hold is one that can
// be handed on. What that validator cannot take though it is sound is left out of the copy.
func checkCompiles(doc *node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = invalid("%s", fmt.Sprint(p))
		}
	}()
	copied := doc.clone()
	ease(copied)
	liftDefinitions(copied)
	var s jsonschema.Schema
	if err := json.Unmarshal(encoded(copied), &s); err != nil {
		return fault.Wrap(fault.Invalid, err, "JSON Schema")
	}
	if _, err := s.Resolve(nil); err != nil {
		return fault.Wrap(fault.Invalid, err, "JSON Schema")
	}
	return nil
}

func ease(n *node) {
	if !n.is(objectNode) {
		return
	}
	if p := n.get("pattern"); p.is(stringNode) {
		if _, err := regexp.Compile(p.text); err != nil {
			n.remove("pattern")
		}
	}
	if p := n.get("patternProperties"); p.is(objectNode) {
		for _, src := range append([]string(nil), p.keys...) {
			if _, err := regexp.Compile(src); err != nil {
				p.remove(src)
			}
		}
	}
	for _, key := range countKeywords {
		if v := n.get(key); v.is(numberNode) {
			if f, err := strconv.ParseFloat(v.text, 64); err == nil && f == math.Trunc(f) && f >= 0 {
				v.text = strconv.Itoa(int(min(f, math.MaxInt32)))
			}
		}
	}
	for _, key := range numberKeywords {
		if v := n.get(key); v.is(numberNode) {
			if _, err := strconv.ParseFloat(v.text, 64); err != nil {
				n.remove(key) // beyond float64, which we compare exactly
			}
		}
	}
	// Data the validator would decode into float64 is no schema.
	for _, key := range []string{"enum", "const", "default", "examples"} {
		n.remove(key)
	}
	subschemas(n, ease)
}

// liftDefinitions moves definitions into $defs where an object has both, which the
// validator takes for a mistake.
func liftDefinitions(root *node) {
	const mark = "definitions "
	lifted := false
	var walk func(*node)
	walk = func(n *node) {
		defs, old := n.get("$defs"), n.get("definitions")
		if defs.is(objectNode) && old.is(objectNode) {
			for _, k := range old.keys {
				defs.set(mark+k, old.get(k))
			}
			n.remove("definitions")
			lifted = lifted || n == root
		}
		subschemas(n, walk)
	}
	if !root.is(objectNode) {
		return
	}
	walk(root)
	if !lifted {
		return
	}
	var rewrite func(*node)
	rewrite = func(n *node) {
		if !n.is(objectNode) {
			return
		}
		if rest, ok := strings.CutPrefix(n.str("$ref"), "#/definitions/"); ok {
			n.set("$ref", stringValue("#/$defs/"+url.PathEscape(mark)+rest))
		}
		subschemas(n, rewrite)
	}
	rewrite(root)
}
