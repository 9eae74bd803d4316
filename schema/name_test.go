package schema_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/schema"
)

func TestNamesArePredictable(t *testing.T) {
	for name, want := range map[string]string{
		"get_issue": "get_issue", "from": "from_", "None": "None_", "API-create-a-comment": "API_create_a_comment",
		"2fa": "_2fa", "": "_", "-": "_", "__init__": "_init__", "__x": "_x", "run": "run_", "arun": "arun_",
		"help": "help", "sum": "sum", "id": "id", "match": "match", "a b": "a_b", "naïve": "naïve", "ﬁx": "fix",
		"数": "数", "a\u0301": "á", "😀": "_", "x\x00y": "x_y", "ｃlass": "class_", "math.factorial": "math_factorial",
	} {
		if got := schema.PythonName(name); got != want {
			t.Errorf("PythonName(%q) = %q, want %q", name, got, want)
		}
		if again := schema.PythonName(want); again != want {
			t.Errorf("PythonName is not stable: %q becomes %q", want, again)
		}
	}
}

func TestEqualSpellingsAreToldApart(t *testing.T) {
	got := schema.PythonNames([]string{"a-b", "a b", "a_b", "a_b_2", "from", "from_", "x", "x", "-", "+"})
	want := []string{"a_b_3", "a_b_4", "a_b", "a_b_2", "from_2", "from_", "x", "x_2", "_", "_2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Every character that may stay in a name must be one that CPython takes.
func TestEveryCharacterOfANameIsOneOfPythons(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on PATH to ask")
	}
	var in strings.Builder
	for r := rune(1); r <= 0xFFFF; r++ {
		if r >= 0xd800 && r < 0xe000 || r == '\n' || r == '\r' {
			continue
		}
		fmt.Fprintf(&in, "%x %s\n%x %s\n", r, schema.PythonName(string(r)), r, schema.PythonName("a"+string(r)+"b"))
	}
	cmd := exec.Command(python, "-c", `
import sys, keyword, unicodedata
for line in sys.stdin.buffer.read().decode().split("\n"):
    if line:
        code, name = line.split(" ")
        if not name.isidentifier() or keyword.iskeyword(name) or unicodedata.normalize("NFKC", name) != name:
            print(code, ascii(name))
`)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%.2000s", err, out)
	}
}
