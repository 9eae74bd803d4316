package registry

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/schema"
)

// Args are the arguments of one call, by the names of the tool's schema. The zero value
// holds none. What its methods return belongs to the handler, but is shared between them:
// one that changes it should call only one of them.
type Args struct {
	values map[string]any
	schema *schema.Schema // may be nil
}

// NewArgs makes Args from a Go map or struct as a program would have sent them, to try a
// Handler without a program.
func NewArgs(v any) (Args, error) {
	data, err := value.Encode(v)
	if err != nil {
		return Args{}, fault.Wrap(fault.Invalid, err, "arguments")
	}
	return decodeArgs(data)
}

func decodeArgs(data []byte) (Args, error) {
	if len(data) == 0 {
		return Args{}, nil
	}
	v, err := value.Decode(data, 0)
	if err != nil {
		return Args{}, fault.Wrap(fault.Invalid, err, "the arguments cannot be read")
	}
	values, ok := v.(map[string]any)
	if !ok {
		return Args{}, fault.New(fault.Invalid, "arguments must be a dictionary with names for keys")
	}
	return Args{values: values}, nil
}

// Map gives the arguments as exactly as the program sent them: nil, bool, int64,
// *big.Int beyond that, float64 with NaN and infinities, string, []byte, time.Time,
// time.Duration, complex128, []any and map[string]any. Values that Go has no type for
// (Decimal, UUID, date, set, a dictionary with other keys) have unexported types; Plain
// has them as text and JSON containers. Map is never nil.
func (a Args) Map() map[string]any {
	if a.values == nil {
		return map[string]any{}
	}
	return a.values
}

// Plain gives the arguments as JSON has them: nil, bool, int64, float64, json.Number for
// larger integers, string, []any and map[string]any. Bytes are base64, a datetime is RFC
// 3339, a timedelta ISO 8601, a Decimal its text, a set a list, NaN and the infinities
// strings. Plain is never nil.
func (a Args) Plain() map[string]any {
	plain, _ := value.Plain(a.Map()).(map[string]any) // a map stays one
	return plain
}

// JSON gives Plain as text. It is written anew, so that no reader of it can see in the
// program's own text anything else than what was validated.
func (a Args) JSON() json.RawMessage {
	text, err := value.JSON(a.Map())
	if err != nil { // what was decoded can be encoded
		return json.RawMessage("{}")
	}
	return text
}

// Decode stores the arguments in what out points to, exactly where the Go type can take
// them so, and else as json.Unmarshal would; names are compared exactly. Its error is a
// *ToolError with KindInvalidArguments, which a handler may return as it is.
func (a Args) Decode(out any) error {
	err := value.Assign(a.Map(), out)
	if err == nil {
		return nil
	}
	message := err.Error()
	if inside, ok := errors.AsType[*value.Error](err); ok && inside.Path != "" {
		message = a.place(inside.Path) + strings.TrimPrefix(message, inside.Path)
	}
	return &ToolError{Kind: KindInvalidArguments, Message: message, Err: err}
}

// place spells a path such as .from.rows[0].when as a program does: from_['rows'][0]['when'].
func (a Args) place(path string) string {
	name := strings.TrimPrefix(path, ".")
	rest := ""
	if end := strings.IndexAny(name, ".["); end > 0 {
		name, rest = name[:end], name[end:]
	}
	if a.schema != nil {
		for _, p := range a.schema.Parameters() {
			if p.Name == name {
				name = p.PythonName
			}
		}
	}
	return name + steps.ReplaceAllStringFunc(rest, func(step string) string {
		if key, ok := strings.CutPrefix(step, "."); ok {
			return "['" + key + "']"
		}
		return step
	})
}

// steps are those of a value.Error's path whose name is an attribute, or in quotes.
var steps = regexp.MustCompile(`\.\w+|\["(?:[^"\\]|\\.)*"\]`)
