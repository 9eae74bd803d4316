package openai_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestOnlyWhoImportsTheAdapterGetsItsFramework(t *testing.T) {
	const module = "github.com/codemode-sdk/codemode"
	for pkg, unwanted := range map[string][]string{
		module:                      {"go-openai", "langchaingo", "modelcontextprotocol", "go-embed-python", module + "/sidecar/embeddedpython"},
		module + "/adapters/openai": {"langchaingo", "modelcontextprotocol", "go-embed-python", module + "/sidecar/embeddedpython"},
	} {
		deps, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.Lines(string(deps)) {
			for _, name := range unwanted {
				if strings.Contains(dep, name) {
					t.Errorf("%s depends on %s", pkg, dep)
				}
			}
		}
	}
}
