package openapi_test

import (
	"testing"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

func TestMain(m *testing.M) { waittest.VerifyMain(m) }
