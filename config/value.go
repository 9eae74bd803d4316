package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A value is how a key's text becomes a field of Config, and back. Its errors continue a
// sentence that begins with the text, and do not repeat it.
type value struct {
	// unit and accepts describe it in the reference and in suggestions.
	unit, accepts string
	// span is the part of accepts that the unit does not say, if there is such a part.
	span string
	// set reads one text; nil if only a list makes sense.
	set func(c *Config, text string) error
	// setList reads a list; nil if only one text makes sense.
	setList func(c *Config, items []string) error
	// text writes the field as a file would have it; empty if it is not set.
	text func(c *Config) string
	// recheck puts the field of from through the rules that text goes through.
	recheck func(scratch, from *Config) error
	// secret values are never shown.
	secret bool
}

// one makes a value of one field.
func one[T any](unit, accepts string, at func(*Config) *T, read func(string) (T, error), write func(T) string) value {
	v := value{unit: unit, accepts: accepts}
	v.set = func(c *Config, text string) error {
		got, err := read(text)
		if err == nil {
			*at(c) = got
		}
		return err
	}
	v.text = func(c *Config) string { return write(*at(c)) }
	v.recheck = func(scratch, from *Config) error {
		text := v.text(from)
		if err := v.set(scratch, text); err != nil {
			return fmt.Errorf("%s %w", cite(text), err)
		}
		return nil
	}
	return v
}

// optional makes a text that may be empty, which is as good as not set: so that
// ${NAME:-} says "if there is one".
func optional(v value, at func(*Config) *string) value {
	set, recheck := v.set, v.recheck
	v.set = func(c *Config, text string) error {
		if text == "" {
			*at(c) = ""
			return nil
		}
		return set(c, text)
	}
	v.recheck = func(scratch, from *Config) error {
		if v.text(from) == "" {
			return nil
		}
		return recheck(scratch, from)
	}
	return v
}

// between bounds what read gives, both ends included.
func between[T cmp.Ordered](read func(string) (T, error), least, most T, write func(T) string) func(string) (T, error) {
	return func(text string) (T, error) {
		got, err := read(text)
		if err == nil && (got < least || got > most) {
			err = fmt.Errorf("is out of range: it must be from %s to %s", write(least), write(most))
		}
		return got, err
	}
}

func (v value) within(span string) value {
	v.span = span
	v.accepts += "; from " + span
	return v
}

func duration(at func(*Config) *time.Duration, least, most time.Duration) value {
	return one("duration", acceptsDuration, at, between(readDuration, least, most, writeDuration), writeDuration).
		within(writeDuration(least) + " to " + writeDuration(most))
}

func size(at func(*Config) *int64, least, most int64) value {
	return one("size", acceptsSize, at, between(readSize, least, most, writeSize), writeSize).
		within(writeSize(least) + " to " + writeSize(most))
}

func count(at func(*Config) *int, least, most int) value {
	return one("count", acceptsCount, at, between(readCount, least, most, strconv.Itoa), strconv.Itoa).
		within(strconv.Itoa(least) + " to " + strconv.Itoa(most))
}

func text(unit, accepts string, at func(*Config) *string, read func(string) (string, error)) value {
	return one(unit, accepts, at, read, func(s string) string { return s })
}

func optionalText(unit, accepts string, at func(*Config) *string, read func(string) (string, error)) value {
	return optional(text(unit, accepts, at, read), at)
}

func boolean(at func(*Config) *bool) value {
	return one("flag", acceptsFlag, at, readFlag, strconv.FormatBool)
}

// choice is one of a few words.
func choice(at func(*Config) *string, words ...string) value {
	accepts := oneOf(words)
	return text("word", accepts, at, func(text string) (string, error) {
		if slices.Contains(words, text) {
			return text, nil
		}
		return "", errors.New("is not known: write " + accepts)
	})
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// apiKey is one secret.
func apiKey(at func(*Config) *Secret) value {
	v := one("secret", "1 to 1024 characters of printable ASCII without spaces", at, func(text string) (Secret, error) {
		if text == "" { // ${NAME:-}: if there is one
			return Secret{}, nil
		}
		return readKey(text)
	}, Secret.String)
	v.secret = true
	v.recheck = func(_, from *Config) error {
		if !at(from).IsSet() {
			return nil
		}
		if _, err := readKey(at(from).Reveal()); err != nil {
			return fmt.Errorf("the value %w", err)
		}
		return nil
	}
	return v
}

// apiKeys is a list of secrets; one text is one of them, however it is spelled.
func apiKeys(at func(*Config) *[]Secret) value {
	read := func(items []string) ([]Secret, error) {
		var all []Secret
		for i, item := range items {
			s, err := readKey(item)
			if err != nil {
				return nil, fmt.Errorf("(number %d) %w", i+1, err)
			}
			all = append(all, s)
		}
		return all, nil
	}
	setList := func(c *Config, items []string) error {
		got, err := read(items)
		if err == nil {
			*at(c) = got
		}
		return err
	}
	return value{
		unit: "secrets", accepts: "a list of keys, each 1 to 1024 characters of printable ASCII without spaces",
		secret: true,
		set: func(c *Config, text string) error {
			if text == "" {
				*at(c) = nil
				return nil
			}
			return setList(c, []string{text})
		},
		setList: setList,
		text:    func(c *Config) string { return strings.Repeat(redacted+" ", len(*at(c))) },
		recheck: func(scratch, from *Config) error {
			items := make([]string, len(*at(from)))
			for i, s := range *at(from) {
				items[i] = s.Reveal()
			}
			if err := setList(scratch, items); err != nil {
				return fmt.Errorf("the value %w", err)
			}
			return nil
		},
	}
}

func commaList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		items = append(items, strings.TrimSpace(item))
	}
	if len(items) == 1 && items[0] == "" {
		return nil
	}
	return items
}

// level is log.level.
func level(at func(*Config) *slog.Level) value {
	words := []string{"debug", "info", "warn", "error"}
	levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	accepts := oneOf(words) + ", in either case"
	return one("word", accepts, at, func(text string) (slog.Level, error) {
		if i := slices.Index(words, strings.ToLower(text)); i >= 0 {
			return levels[i], nil
		}
		return 0, errors.New("is not a level: write " + accepts)
	}, func(l slog.Level) string { return strings.ToLower(l.String()) })
}
