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

// typeCheck runs the strict type checkers that are installed over modules.
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
	for _, checker := range [][]string{{"mypy", "--strict", "--no-error-summary", "."}, {"pyright", "."}} {
		path, err := exec.LookPath(checker[0])
		if err != nil {
			continue
		}
		if exec.Command(path, "--version").Run() != nil { // a shim without the tool
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
	switch {
	case ran:
	case os.Getenv("CI") == "true":
		t.Error("neither mypy nor pyright is on PATH, so the types are not checked")
	default:
		t.Log("neither mypy nor pyright on PATH: types not checked")
	}
}
