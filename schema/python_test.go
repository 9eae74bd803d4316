package schema_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// parsePython has real CPython parse each text with ast.parse, and gives what it says
// about those it refuses.
func parsePython(t testing.TB, texts map[string]string) map[string]string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on PATH to parse the stubs with")
	}
	dir := t.TempDir()
	names := map[string]string{}
	for name, text := range texts {
		file := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, name) + ".py"
		names[file] = name
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const program = `
import ast, os, sys, warnings
warnings.simplefilter("error")
for f in sorted(os.listdir(".")):
    try:
        src = open(f, "rb").read()
        outline = b"outline" in f.encode() or b"brief" in f.encode()  # keys without types, names for types
        tree = ast.parse(src, f)
        compile(src, f, "exec")
        # The only statements are imports, classes, functions, and names given to types.
        def check(body):
            for i, s in enumerate(body):
                ok = isinstance(s, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign))
                ok = ok or isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and (s.value.value is ... or i == 0)
                ok = ok or isinstance(s, ast.Expr) and isinstance(s.value, ast.Name) and outline
                if not ok:
                    raise SyntaxError(f"line {s.lineno}: a {type(s).__name__} statement")
                if isinstance(s, ast.Assign) and not outline and not (isinstance(s.value, ast.Call) and isinstance(s.value.func, (ast.Name, ast.Attribute))):
                    raise SyntaxError(f"line {s.lineno}: an assignment")
                if outline and isinstance(s, (ast.Assign, ast.AnnAssign)) and s.value is not None:
                    for n in ast.walk(s.value):
                        if isinstance(n, ast.Call) and ast.unparse(n.func) != "TypedDict":
                            raise SyntaxError(f"line {s.lineno}: a call")
                if isinstance(s, (ast.ClassDef, ast.FunctionDef)):
                    check(s.body)
        check(tree.body)
    except Exception as e:
        print(f + "\t" + repr(e))
`
	cmd := exec.Command(python, "-c", program)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, out)
	}
	refused := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if file, words, ok := strings.Cut(line, "\t"); ok {
			refused[names[file]] = words
		}
	}
	return refused
}

// typeCheckers are strict. Pyright comes from npm, to the directory that MCP_PACKAGES names.
var typeCheckers = [][]string{{"mypy", "--strict", "--no-error-summary", "."}, {"pyright", "."}}

func findChecker(name string) (string, error) {
	if dir := os.Getenv("MCP_PACKAGES"); dir != "" {
		if path, err := exec.LookPath(filepath.Join(dir, "node_modules", ".bin", name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		err = exec.Command(path, "--version").Run() // there may be a shim without the tool
	}
	return path, err
}

// typeCheck runs the strict type checkers that are installed over modules; in CI, all are.
func typeCheck(t *testing.T, modules map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range modules {
		if err := os.WriteFile(filepath.Join(dir, name+".py"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "pyrightconfig.json"), []byte(`{"typeCheckingMode":"strict","pythonVersion":"3.12"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := false
	for _, checker := range typeCheckers {
		path, err := findChecker(checker[0])
		if err != nil {
			if os.Getenv("CI") == "true" {
				t.Errorf("%s is missing, and .ci/run installs it: %v", checker[0], err)
			}
			continue
		}
		ran = true
		cmd := exec.Command(path, checker[1:]...)
		cmd.Dir = dir
		if cache, err := os.UserCacheDir(); err == nil { // of Python's own stubs, which takes seconds to make
			cmd.Env = append(os.Environ(), "MYPY_CACHE_DIR="+filepath.Join(cache, "codemode", "mypy"))
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", checker[0], err, out)
		}
	}
	if !ran {
		t.Log("neither mypy nor pyright on PATH: types not checked")
	}
}
