package schema

import (
	"fmt"
	"strings"
	"unicode"
)

var plainLines = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ")

// clean makes text that cannot do anything but be read: characters that control a
// terminal, reverse its direction or hide in it become escapes, every kind of line break
// a newline and every other space a space.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = plainLines.Replace(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		default:
			b.WriteString(escapeRune(r))
		}
	}
	return b.String()
}

func escapeRune(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// oneLine is clean with all white space made single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// pythonString writes a string literal as Python's repr does.
func pythonString(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '\\' || r == rune(q):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
	}
	b.WriteByte(q)
	return b.String()
}

// docString writes lines as a doc string whose text starts after the quotes.
func docString(text, indent string) string {
	text = strings.TrimSpace(text)
	multi := strings.Contains(text, "\n")
	var b strings.Builder
	b.WriteString(indent + `"""`)
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " ")
		if i > 0 {
			b.WriteByte('\n')
			if line != "" {
				b.WriteString(indent)
			}
		}
		b.WriteString(escapeDoc(line, !multi))
	}
	if multi {
		b.WriteString("\n" + indent)
	}
	b.WriteString(`"""`)
	return b.String()
}

// escapeDoc escapes backslashes, and quotes wherever they could begin or end the string.
func escapeDoc(line string, last bool) string {
	var b strings.Builder
	for i := range len(line) {
		switch c := line[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '"' && (i == 0 || line[i-1] == '"' || i+1 < len(line) && line[i+1] == '"' || last && i+1 == len(line)):
			b.WriteString(`\"`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// comment writes text behind code. Type checkers take orders from comments; text gives
// none.
func comment(text string) string {
	text = oneLine(text)
	if text == "" {
		return ""
	}
	for _, order := range []string{"type", "mypy", "pyright", "noqa", "pylint", "ruff", "fmt", "coding"} {
		text = replaceFold(text, order+":", order+" :")
	}
	return "  # " + text
}

func replaceFold(s, old, by string) string {
	lower := strings.ToLower(s)
	if len(lower) != len(s) { // folding changed the length: positions cannot be compared
		return strings.ReplaceAll(s, old, by)
	}
	var b strings.Builder
	for {
		i := strings.Index(lower, old)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i] + s[i:i+len(old)-1] + by[len(old)-1:])
		s, lower = s[i+len(old):], lower[i+len(old):]
	}
}
