package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
)

// Who follows docs/tls.md word by word gets files that its configurations can use, and
// finds the message that they see in its table.
func TestTheStepsOfTheTLSPageWorkAsTyped(t *testing.T) {
	page, err := os.ReadFile("../../docs/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	blocks := func(language string) (found []string) {
		for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1) {
			found = append(found, string(m[1]))
		}
		return found
	}
	for _, command := range blocks("sh") {
		words := strings.Fields(command)
		var out, problems bytes.Buffer
		if words[0] != "codemode" || run(words[1:], stdio{strings.NewReader(""), &out, &problems}) != exitOK {
			t.Fatalf("%s: %s", command, problems.String())
		}
		for _, want := range []string{"client_auth: require", "url: https://executor.internal:8001"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s does not print %q", command, want)
			}
		}
	}
	ends := blocks("yaml")
	if len(ends) != 4 {
		t.Fatalf("%d configurations", len(ends))
	}
	for i, text := range ends {
		c, err := config.Parse("codemode.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		files := tlsfiles.Files{Cert: c.GRPC.TLS.CertFile, Key: c.GRPC.TLS.KeyFile, CA: c.GRPC.TLS.CAFile}
		if i%2 == 0 { // the executor's comes before the application's
			err = c.Sidecar().Validate()
		} else {
			files.Cert, files.Key = c.GRPC.TLS.ClientCertFile, c.GRPC.TLS.ClientKeyFile
			_, err = c.Client().Complete()
		}
		if err != nil {
			t.Error(err)
		}
		if _, err := tlsfiles.Load(files, nil); err != nil {
			t.Error(err)
		}
	}
}
