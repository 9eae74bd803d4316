package schema

import (
	"encoding"
	"encoding/json"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/invopop/jsonschema"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bigIntType   = reflect.TypeFor[big.Int]()
	numberType   = reflect.TypeFor[json.Number]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	urlType      = reflect.TypeFor[url.URL]()

	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
	schemaType = reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()
	aliasType  = reflect.TypeFor[interface{ JSONSchemaAlias() any }]()
)

// pythonMark is the keyword under which a schema made from a Go type carries the Python
// type that JSON Schema has no word for: of the value itself, or of an object's keys. It
// is gone before anyone sees the document, and means nothing in one from elsewhere.
const pythonMark = "x-codemode-python"

// markedTypes are the types that a mark may name.
var markedTypes = wordSet("datetime timedelta bytes int")

func marked(s *jsonschema.Schema, python string) *jsonschema.Schema {
	if s.Extras == nil {
		s.Extras = map[string]any{}
	}
	s.Extras[pythonMark] = python
	return s
}

// isByte says whether a slice of t is bytes: not where t has its own way to be written.
func isByte(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.Uint8 && !p.Implements(jsonType) && !p.Implements(textType)
}

// keyType is the Python type of a Go map's keys, and the pattern of their JSON form; ""
// for the type if JSON has no such maps.
func keyType(t reflect.Type) (python, pattern string) {
	switch kind := t.Kind(); {
	case t == timeType:
		return "datetime", ""
	case t == durationType:
		return "timedelta", ""
	case kind == reflect.String, t.Implements(textType):
		return "str", ""
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "int", "^-?[0-9]+$"
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return "int", "^[0-9]+$"
	}
	return "", ""
}

// special describes the types whose JSON is not what their kind suggests.
func special(t reflect.Type) *jsonschema.Schema {
	pointer := reflect.PointerTo(t)
	switch {
	case t == timeType:
		return marked(&jsonschema.Schema{Type: "string", Format: "date-time"}, "datetime")
	case t == durationType:
		return marked(&jsonschema.Schema{Type: "string", Format: "duration"}, "timedelta")
	case t == bigIntType:
		return &jsonschema.Schema{Type: "integer"}
	case t == numberType:
		return &jsonschema.Schema{Type: "number"}
	case t == rawType, t == urlType:
		return &jsonschema.Schema{}
	case t.Implements(schemaType), t.Implements(aliasType):
		return nil
	case pointer.Implements(jsonType):
		return &jsonschema.Schema{}
	case pointer.Implements(textType):
		s := &jsonschema.Schema{Type: "string"}
		if t.Name() == "UUID" {
			s.Format = "uuid"
		}
		return s
	}
	switch t.Kind() {
	case reflect.Slice:
		if isByte(t.Elem()) {
			return marked(&jsonschema.Schema{Type: "string", ContentEncoding: "base64"}, "bytes")
		}
	case reflect.Uint, reflect.Uint64:
		return &jsonschema.Schema{Type: "integer", Minimum: "0"}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: json.Number(strconv.FormatUint(1<<t.Bits()-1, 10))}
	case reflect.Int8, reflect.Int16, reflect.Int32:
		high := int64(1)<<(t.Bits()-1) - 1
		return &jsonschema.Schema{Type: "integer", Minimum: json.Number(strconv.FormatInt(-high-1, 10)), Maximum: json.Number(strconv.FormatInt(high, 10))}
	}
	return nil
}
