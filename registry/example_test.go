package registry_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/codemode-sdk/codemode/registry"
)

func Example() {
	type Query struct {
		Base     int64 `json:"base"`
		Exponent int64 `json:"exponent"`
	}
	reg := registry.New()
	registry.Func(reg, "math.power", "Raises base to exponent.", func(ctx context.Context, in Query) (*big.Int, error) {
		if in.Exponent < 0 {
			return nil, errors.New("the exponent must not be negative")
		}
		return new(big.Int).Exp(big.NewInt(in.Base), big.NewInt(in.Exponent), nil), nil
	})
	if err := reg.Err(); err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	result, err := reg.Call(ctx, "math.power", []byte(`{"base": 10, "exponent": 30}`))
	fmt.Println(string(result), err)
	_, err = reg.Call(ctx, "math.power", []byte(`{"base": 10, "exponent": -1}`))
	fmt.Println(err)
	_, err = reg.Call(ctx, "power", nil)
	fmt.Println(err)
	// Output:
	// 1000000000000000000000000000000 <nil>
	// tool math.power: the exponent must not be negative
	// tool power: there is no tool "power"; did you mean "math.power"?
}
