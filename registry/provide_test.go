package registry_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// errProvided is what one of the provided packages fails with, while a test wants it.
var errProvided error

func init() {
	registry.Provide(func(reg *registry.Registry) error {
		return registry.Func(reg, "provided.one", "", func(context.Context, struct{}) (int, error) { return 1, nil })
	})
	registry.Provide(func(reg *registry.Registry) error {
		return errors.Join(errProvided, reg.Add(registry.Tool{Name: "provided.two"}))
	})
}

func TestAnImportedPackagesToolsAreThereWhenAskedFor(t *testing.T) {
	reg := registry.New()
	if got := namesOf(reg); got != "" {
		t.Errorf("before anybody asked there are %s", got)
	}
	var users sync.WaitGroup
	for range 3 {
		users.Go(func() {
			if err := reg.Discover(); err != nil {
				t.Error(err)
			}
			if got := namesOf(reg); got != "dice.roll provided.one provided.two" {
				t.Errorf("there are %s", got)
			}
		})
	}
	users.Wait()
	registry.Provide(func(reg *registry.Registry) error { return nil })
	if err := errors.Join(reg.Discover(), registry.New().Discover()); err != nil {
		t.Error(err)
	}
}

func TestAPackageThatCannotProvideIsNamed(t *testing.T) {
	errProvided = errors.New("no key")
	defer func() { errProvided = nil }()
	reg := registry.New()
	err := reg.Discover()
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "provided at") ||
		!strings.Contains(err.Error(), "provide_test.go:") || !errors.Is(err, errProvided) {
		t.Errorf("got %v", err)
	}
	if !errors.Is(reg.Err(), errProvided) {
		t.Errorf("Err forgot it: %v", reg.Err())
	}
}
