package apikey

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A file that was edited by hand is read as it was meant, or refused without being shown.
func TestParseTakesWhatPeopleWrite(t *testing.T) {
	for text, want := range map[string][]string{
		"one":                            {"one"},
		"one\n":                          {"one"},
		"  one \r\n\n# old\n\ttwo\t\n":   {"one", "two"},
		"one\none\n":                     {"one", "one"},
		"":                               nil,
		"# nothing\n":                    nil,
		"with space\n":                   nil,
		"ok\nümlaut\n":                   nil,
		strings.Repeat("x", 1025):        nil,
		"nul\x00\n":                      nil,
		strings.Repeat("k\n", maxKeys+1): nil,
	} {
		got, err := Parse([]byte(text))
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%.40q: %q, %v", text, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "with space") || strings.Contains(err.Error(), "ümlaut")) {
			t.Errorf("the key is in the error: %v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a\n#b\n c "))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := Parse(data)
		if err == nil && len(keys) == 0 {
			t.Error("neither a key nor an error")
		}
		for _, key := range keys {
			if Check(key) != nil {
				t.Errorf("%q", key)
			}
		}
	})
}

// An executor that starts with an unreadable file would admit nobody, or everybody.
func TestAKeyringWithoutItsFileIsAnError(t *testing.T) {
	if _, err := NewKeyring(nil, filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("accepted")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := NewKeyring([]string{"zero"}, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for header, admitted := range map[string]bool{
		"Bearer one": true, "bearer zero": true, "Bearer two": false, "Bearer": false, "one": false, "": false, "Basic one": false,
	} {
		if err := k.Admit([]string{header}); (err == nil) != admitted {
			t.Errorf("%q: %v", header, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := k.Admit([]string{"Bearer one"}); err != nil {
		t.Errorf("with its file gone: %v", err)
	}
	if err := k.Reload(); err == nil {
		t.Error("a reload without the file is no error")
	}
}
