// Package weather has a type whose comments are in another package than the methods that
// take it.
package weather

// A Span is a time to look at.
type Span struct {
	// Days to look back.
	Days int `json:"days"`
}
