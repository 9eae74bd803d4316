package main

import (
	"os"
	"testing"
)

// The test's binary is the server that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		main()
	}
	os.Exit(m.Run())
}

func TestAProgramUsesTheToolsOfAServer(t *testing.T) {
	text, err := run(t.Context(), os.Args[0], "serve")
	if want := `["Fiasco","Solaris","The Dispossessed"]`; err != nil || text != want {
		t.Errorf("it gave %q, %v; want %q", text, err, want)
	}
}
