package config

import (
	"errors"
	"regexp"
	"strings"
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} and ${NAME:-default} by the environment and $$ by a dollar
// sign. A variable that is set to nothing counts as unset. What a variable holds is taken
// as it is: it is not expanded again and it is never YAML.
//
// The errors name variables and nothing else of the text, which may be a secret.
func expand(text string, getenv func(string) string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
			continue
		case !strings.HasPrefix(rest, "{"):
			return "", errors.New("has a $ on its own: write ${NAME} for a variable, or $$ for a dollar sign")
		}
		inside, after, closed := strings.Cut(rest[1:], "}")
		if !closed {
			return "", errors.New("has a ${ without a }")
		}
		name, fallback, hasFallback := strings.Cut(inside, ":-")
		if !variableName.MatchString(name) {
			return "", errors.New("has a ${...} that is neither ${NAME} nor ${NAME:-default}")
		}
		if strings.Contains(fallback, "$") {
			return "", errors.New("has a default with a $ in it: defaults are not expanded")
		}
		value := getenv(name)
		if value == "" {
			if !hasFallback {
				return "", errors.New("needs the environment variable " + name + ", which is not set: set it, or write ${" + name + ":-default}")
			}
			value = fallback
		}
		out.WriteString(value)
		text = after
	}
}
