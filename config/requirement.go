package config

import (
	"errors"
	"slices"
	"strings"
)

// requirement is executor.sandbox.require: a word, or names of layers.
func requirement(at func(*Config) *Sandbox) value {
	accepts := "strict, or a list of layers out of " + strings.Join(layers, ", ") + ", or unsafe-none"
	setList := func(c *Config, items []string) error {
		got := Sandbox{Require: RequireLayers}
		for _, item := range items {
			if item == RequireStrict || item == RequireUnsafeNone {
				return errors.New("has " + item + " beside layers: it must stand alone")
			}
			if !slices.Contains(layers, item) {
				return errors.New("has an unknown layer" + didYouMean(item, layers) + "; write " + accepts)
			}
			if slices.Contains(got.Layers, item) {
				return errors.New("has " + item + " twice")
			}
			got.Layers = append(got.Layers, item)
		}
		if len(items) == 0 {
			return errors.New("is empty: to run programs without isolation, write unsafe-none")
		}
		slices.SortFunc(got.Layers, func(a, b string) int {
			return slices.Index(layers, a) - slices.Index(layers, b)
		})
		*at(c) = got
		return nil
	}
	v := value{unit: "word or list", accepts: accepts, setList: setList}
	v.set = func(c *Config, text string) error {
		if text == RequireStrict || text == RequireUnsafeNone {
			*at(c) = Sandbox{Require: text}
			return nil
		}
		return setList(c, commaList(text))
	}
	v.text = func(c *Config) string {
		if s := *at(c); s.Require != RequireLayers {
			return s.Require
		}
		return "[" + strings.Join(at(c).Layers, ", ") + "]"
	}
	v.recheck = func(scratch, from *Config) error {
		switch s := *at(from); s.Require {
		case RequireStrict, RequireUnsafeNone:
			if len(s.Layers) > 0 {
				return errors.New(quote(s.Require) + " does not go with a list of layers")
			}
			return nil
		case RequireLayers:
			return setList(scratch, s.Layers)
		default:
			return errors.New(quote(s.Require) + " is not known: write " + accepts)
		}
	}
	return v
}
