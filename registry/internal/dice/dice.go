// Package dice is a package of tools, as an application would import one for its tools
// alone.
package dice

import (
	"context"

	"github.com/codemode-sdk/codemode/registry"
)

func init() {
	registry.Provide(func(reg *registry.Registry) error {
		return registry.Func(reg, "dice.roll", "Rolls a die.", func(context.Context, struct{}) (int, error) { return 4, nil })
	})
}
