package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"

	"github.com/codemode-sdk/codemode/internal/version"
)

func versionCommand() command {
	return command{
		name:    "version",
		usage:   "version [--json]",
		summary: "prints the versions of codemode, Go and the CPython that is linked in",
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			asJSON := flags.Bool("json", false, "print one JSON object")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				if err := printVersion(io, *asJSON); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

type versions struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	// Python is the linked CPython: its version, "unknown" if the build does not say, or
	// empty if there is none.
	Python string `json:"python"`
	System string `json:"system"`
}

func printVersion(io stdio, asJSON bool) error {
	v := versions{version.String(), runtime.Version(), linkedPython(), runtime.GOOS + "/" + runtime.GOARCH}
	if asJSON {
		return json.NewEncoder(io.out).Encode(v)
	}
	python := "no CPython linked in"
	if v.Python != "" {
		python = "CPython " + v.Python + " linked in"
	}
	_, err := fmt.Fprintf(io.out, "codemode %s (%s, %s, %s)\n", v.Version, v.Go, v.System, python)
	return err
}

var pythonVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+-(\d+\.\d+\.\d+)-`)

// linkedPython reads the version off the module that carries the interpreter, which
// unlike asking the interpreter needs nothing to be unpacked.
func linkedPython() string {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return "" // as sidecar/embeddedpython has it
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dependency := range info.Deps {
		if dependency.Path != "github.com/kluctl/go-embed-python" {
			continue
		}
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		if m := pythonVersion.FindStringSubmatch(dependency.Version); m != nil {
			return m[1]
		}
	}
	return "unknown"
}
