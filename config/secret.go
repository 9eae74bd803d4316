package config

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// A Secret is an API key that cannot be printed by accident: every verb of package fmt,
// log/slog and encoding/json, and whatever else asks for text, see a placeholder. The zero
// Secret is unset.
//
// The value is behind a pointer, because fmt does not call the methods of unexported
// fields: a struct that keeps a Secret in one prints an address.
type Secret struct{ value *string }

const redacted = "[redacted]"

// NewSecret makes a Secret; an empty value makes an unset one.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal gives the value, or the empty string if unset.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet says whether there is a value.
func (s Secret) IsSet() bool { return s.value != nil }

// Equal compares two secrets in a time that does not depend on where they differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String gives a placeholder, or the empty string if unset.
func (s Secret) String() string {
	if s.value == nil {
		return ""
	}
	return redacted
}

// Format prints the placeholder whatever the verb, also one that makes no sense for text.
func (s Secret) Format(f fmt.State, _ rune) {
	// A fmt.State reports no useful error: a failing writer shows in Fprintf's own result.
	_, _ = io.WriteString(f, s.String())
}

// LogValue gives the placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives the placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
