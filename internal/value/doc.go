// Package value is the encoding in which Python values cross every boundary: tool
// arguments, tool results and a program's result.
//
// The encoding is JSON (RFC 8259) as Python's json module reads and writes it, so that
// both ends run at the speed of a parser written in C and a plain value is readable in a
// log. It differs from RFC 8259 in three ways:
//
//   - integers have any number of digits and are not floats: 1 is an int, 1.0 a float;
//
//   - NaN, Infinity and -Infinity are numbers;
//
//   - what JSON lacks is an object with the single key "$", whose value is an array of a
//     kind and a payload:
//
//     bytes      {"$": ["bytes", "aGVsbG8="]}          standard base64 with padding
//     decimal    {"$": ["decimal", "1.50"]}
//     datetime   {"$": ["datetime", "2026-01-02T03:04:05.000006+00:00"]}   isoformat(), aware or naive
//     date       {"$": ["date", "2026-01-02"]}
//     time       {"$": ["time", "03:04:05"]}
//     timedelta  {"$": ["timedelta", 1500000]}         microseconds, an integer
//     uuid       {"$": ["uuid", "..."]}
//     complex    {"$": ["complex", [1.0, -2.0]]}
//     set        {"$": ["set", [1, 2]]}                set and frozenset
//     dict       {"$": ["dict", [[1, "one"], [2, "two"]]]}
//
// The dict form carries dictionaries with a key that is not a string, and any dictionary
// that has the key "$". Tuples travel as arrays.
//
// Text is UTF-8. Half of a surrogate pair is no character and does not travel: reading
// one, raw or escaped, is an error.
//
// Encode writes any Go value by the rules of encoding/json, keeping exact what the
// encoding can say exactly. Decode reads into a small set of Go types, Assign stores
// what was read in a Go variable, and Plain lowers it to what JSON has.
package value

// Limits on what is encoded and decoded.
const (
	// MaxDepth is how deep lists, dictionaries and sets may be nested: the outermost
	// is at depth 0, the innermost at most at MaxDepth. Cyclic values end here.
	MaxDepth = 100
	// MaxDigits bounds the digits of an integer and the text of a decimal, because
	// work on long numbers grows faster than their length.
	MaxDigits = 100_000
)
