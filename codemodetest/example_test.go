package codemodetest_test

import (
	"testing"

	"github.com/codemode-sdk/codemode/codemodetest"
	"github.com/codemode-sdk/codemode/registry"
)

// What the package's comment shows, as a test of a user's.
func TestTheReportLeavesOutEmptyOrders(t *testing.T) {
	runner := codemodetest.New(t, codemodetest.Options{
		Fakes: codemodetest.Fakes{
			"orders.list": codemodetest.Value([]any{map[string]any{"id": 1, "total": 0}, map[string]any{"id": 2, "total": 5}}),
			"orders.mail": codemodetest.Fails(registry.KindDenied, "not today"),
		},
	})
	result := runner.Run("[o['id'] for o in tools.orders.list(customer='ada') if o['total']]")
	result.Want([]any{2})
	result.Calls(codemodetest.Call{Tool: "orders.list", Args: map[string]any{"customer": "ada"}})
}
