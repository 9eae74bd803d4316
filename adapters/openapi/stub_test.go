package openapi_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the stubs are now")

func TestStubsSayWhatTheDocumentSays(t *testing.T) {
	_, reg := shop(t)
	var b strings.Builder
	for _, entry := range reg.Entries() {
		b.WriteString(entry.Stub() + "\n")
	}
	const golden = "testdata/shop.pyi"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the stubs are not those of %s (go test -update):\n%s", golden, b.String())
	}
}
