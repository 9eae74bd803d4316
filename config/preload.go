package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxModules bounds executor.pool.preload, and maxModuleName each name in it, in bytes.
const (
	maxModules    = 100
	maxModuleName = 200
)

// modules is a list of names of Python modules.
func modules(at func(*Config) *[]string) value {
	setList := func(c *Config, items []string) error {
		if len(items) > maxModules {
			return fmt.Errorf("has %d modules; the limit is %d", len(items), maxModules)
		}
		var all []string
		for _, item := range items {
			if len(item) > maxModuleName || !isModule(item) {
				return errors.New("has " + quote(item) + ", which is no name of a Python module, such as pandas or numpy.linalg")
			}
			if slices.Contains(all, item) {
				return errors.New("has " + quote(item) + " twice")
			}
			all = append(all, item)
		}
		*at(c) = all
		return nil
	}
	return value{
		unit: "list", accepts: "a list of names of Python modules, such as [numpy, pandas]",
		setList: setList,
		text:    func(c *Config) string { return "[" + strings.Join(*at(c), ", ") + "]" },
		recheck: func(scratch, from *Config) error { return setList(scratch, *at(from)) },
	}
}

func isModule(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		for i, r := range part {
			if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}
