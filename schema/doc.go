// Package schema stands between JSON Schema, Go types and the Python that a model writes.
//
//	in, err := schema.For(reflect.TypeFor[Query]())         // from a Go type, for arguments
//	out, err := schema.ForResult(reflect.TypeFor[Answer]()) // and for results
//	in, err := schema.Parse(tool.InputSchema)               // from someone else's document
//	err = in.Validate(map[string]any{"city": int64(5)})     // city: expected str, got int 5
//	text, err := schema.Stub("weather", "Looks up the weather.", in, nil)
//
// # Documents
//
// A foreign document is kept as it was given. What the field writes but no dialect
// allows (type names such as dict or float, boolean exclusiveMinimum, "properties": [])
// is normalised in a private copy, which is then what [Schema.JSON] gives. References
// are resolved inside the document only.
//
// # Arguments
//
// [Schema.Validate] speaks the language of the Python stub, because its reader is a model
// that knows nothing else of the tool. It follows JSON Schema with one difference:
// arguments that the document does not mention are refused unless it says
// additionalProperties, so that a misspelled optional argument is an error and not a
// silent default. $dynamicRef is resolved where it is written, like $ref. A pattern that
// Go's regular expressions cannot express (look-around, back-references) is shown in the
// stub but not checked; formats are documentation.
//
// # Stubs
//
// [Stub] describes one tool in full, [Signature] in a line; [Outline] describes a whole
// registry to a model, in the notation of [Legend], and [Module] to a type checker. All
// but Signature can be parsed as Python for every input. They are the same bytes for the
// same input, and nothing that a description contains can leave its doc string or
// comment. Parameters keep the document's order. Where an
// optional one stands before a required one, which Python has no positional syntax for,
// the signature turns keyword-only from there on; a call the stub allows is always a
// call the tool takes. An optional parameter without a known default shows "= ...".
package schema
