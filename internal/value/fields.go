package value

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// A field is one that encoding/json would write.
type field struct {
	name  string
	key   string // name as a JSON string
	index []int  // through embedded structs
	typ   reflect.Type

	omitEmpty bool
	isZero    func(reflect.Value) bool // of omitzero; nil without it
	quoted    bool                     // the string option, where it applies

	tagged bool
}

// structFields are the fields of one struct type.
type structFields struct {
	list   []field
	byName map[string]*field
	dollar bool // one is called "$"
}

// A Field is one that Encode writes and Assign reads.
type Field struct {
	// Name is the key.
	Name string
	// Index leads to the field, through embedded structs, as for reflect.Type.FieldByIndex.
	Index []int
	// Omittable: it has omitempty or omitzero.
	Omittable bool
	// Quoted: it has the string option, and is of a type to which that applies.
	Quoted bool
}

// Fields gives the fields of a struct type in their order.
func Fields(t reflect.Type) []Field {
	var list []Field
	for _, f := range fieldsOf(t).list {
		list = append(list, Field{
			Name: f.name, Index: slices.Clone(f.index),
			Omittable: f.omitEmpty || f.isZero != nil, Quoted: f.quoted,
		})
	}
	return list
}

var structs sync.Map // reflect.Type -> *structFields

func fieldsOf(t reflect.Type) *structFields {
	if f, ok := structs.Load(t); ok {
		return f.(*structFields)
	}
	f, _ := structs.LoadOrStore(t, findFields(t))
	return f.(*structFields)
}

// findFields goes through embedded structs level by level: of two fields with one name
// the shallower wins, on one level the only one with a tag, and else neither.
func findFields(t reflect.Type) *structFields {
	type place struct {
		typ   reflect.Type
		index []int
	}
	found := map[string][]field{}
	level, seen := []place{{typ: t}}, map[reflect.Type]bool{t: true}
	for len(level) > 0 {
		var next []place
		here := map[string][]field{}
		count := map[reflect.Type]int{}
		for _, p := range level {
			for i := range p.typ.NumField() {
				sf := p.typ.Field(i)
				f, embedded, ok := readField(sf, append(slices.Clone(p.index), i))
				switch {
				case !ok:
				case embedded == nil:
					here[f.name] = append(here[f.name], f)
				case !seen[embedded]:
					// Twice is as good as many times: its fields hide each other.
					if count[embedded]++; count[embedded] <= 2 {
						next = append(next, place{embedded, f.index})
					}
				}
			}
		}
		for name, fields := range here {
			if _, hidden := found[name]; !hidden {
				found[name] = fields
			}
		}
		for embedded := range count {
			seen[embedded] = true
		}
		level = next
	}
	all := &structFields{byName: map[string]*field{}}
	for _, fields := range found {
		if f, ok := dominant(fields); ok {
			all.list = append(all.list, f)
		}
	}
	slices.SortFunc(all.list, func(a, b field) int { return slices.Compare(a.index, b.index) })
	for i := range all.list {
		all.byName[all.list[i].name] = &all.list[i]
	}
	_, all.dollar = all.byName["$"]
	return all
}

func dominant(fields []field) (field, bool) {
	if len(fields) == 1 {
		return fields[0], true
	}
	var tagged []field
	for _, f := range fields {
		if f.tagged {
			tagged = append(tagged, f)
		}
	}
	if len(tagged) == 1 {
		return tagged[0], true
	}
	return field{}, false
}

// readField gives a field, or the struct type that is embedded in its place.
func readField(sf reflect.StructField, index []int) (f field, embedded reflect.Type, ok bool) {
	bare := sf.Type
	if bare.Name() == "" && bare.Kind() == reflect.Pointer {
		bare = bare.Elem()
	}
	if !sf.IsExported() && (!sf.Anonymous || bare.Kind() != reflect.Struct) {
		return field{}, nil, false
	}
	tag := sf.Tag.Get("json")
	if tag == "-" {
		return field{}, nil, false
	}
	name, options, _ := strings.Cut(tag, ",")
	if !isTagName(name) {
		name = ""
	}
	f = field{name: name, index: index, typ: sf.Type, tagged: name != ""}
	if name == "" {
		if sf.Anonymous && bare.Kind() == reflect.Struct {
			return f, bare, true
		}
		f.name = sf.Name
	}
	if !sf.IsExported() { // a tagged embedded struct of an unexported type
		return field{}, nil, false
	}
	f.key = string(appendString(nil, f.name))
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.omitEmpty = true
		case "omitzero":
			f.isZero = zeroTest(sf.Type)
		case "string":
			switch formOf(bare) {
			case formBool, formInt, formUint, formFloat, formString, formNumber, formDuration:
				f.quoted = true
			}
		}
	}
	return f, nil, true
}

func isTagName(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}

// zeroTest is IsZero of the type where it has one.
func zeroTest(t reflect.Type) func(reflect.Value) bool {
	type zeroer interface{ IsZero() bool }
	asked := reflect.TypeFor[zeroer]()
	kind := t.Kind()
	switch {
	case t.Implements(asked):
		return func(v reflect.Value) bool {
			if (kind == reflect.Pointer || kind == reflect.Interface) && v.IsNil() {
				return true
			}
			return v.Interface().(zeroer).IsZero()
		}
	case reflect.PointerTo(t).Implements(asked):
		return func(v reflect.Value) bool {
			if !v.CanAddr() {
				addressable := reflect.New(t).Elem()
				addressable.Set(v)
				v = addressable
			}
			return v.Addr().Interface().(zeroer).IsZero()
		}
	}
	return reflect.Value.IsZero
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
