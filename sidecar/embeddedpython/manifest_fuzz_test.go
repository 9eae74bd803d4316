//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`[{"path":"bin/python3","mode":365,"size":1,"modified":2,"changed":3,"sha256":"00"}]`))
	f.Add([]byte(`[{"path":"../../etc","mode":2147484013}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		root := filepath.Join(t.TempDir(), "tree")
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, manifestName), text, 0o444); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(root, 0o555); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := os.Chmod(root, 0o755); err != nil {
				t.Error(err)
			}
		}()
		if verify(root) == nil {
			t.Errorf("%q vouches for a tree without an interpreter", text)
		}
	})
}
