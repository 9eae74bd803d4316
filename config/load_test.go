package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// clean gives the test an empty directory and an environment without our variables.
func clean(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "CODEMODE_") {
			t.Setenv(name, "")
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadFindsTheFileThatIsMeant(t *testing.T) {
	clean(t)
	name := func(load func() (*config.Config, error)) string {
		t.Helper()
		c, err := load()
		if err != nil {
			t.Fatal(err)
		}
		return c.File + "=" + c.Project.Name
	}
	fromDirectory := func() (*config.Config, error) { return config.Load("") }
	fromEnvironment := func() (*config.Config, error) { return config.FromEnv() }
	if got := name(fromDirectory); got != "=" {
		t.Errorf("no file: %q", got)
	}
	write(t, "codemode.yaml", "project: {name: here}")
	if got := name(fromDirectory); got != "codemode.yaml=here" {
		t.Errorf("file in the directory: %q", got)
	}
	if got := name(fromEnvironment); got != "=" {
		t.Errorf("FromEnv read the directory's file: %q", got)
	}
	write(t, "other.yaml", "project: {name: named}")
	t.Setenv("CODEMODE_CONFIG", "other.yaml")
	if got := name(fromDirectory); got != "other.yaml=named" {
		t.Errorf("file that the environment names: %q", got)
	}
	if got := name(fromEnvironment); got != "other.yaml=named" {
		t.Errorf("FromEnv with CODEMODE_CONFIG: %q", got)
	}
	if got := name(func() (*config.Config, error) { return config.Load("codemode.yaml") }); got != "codemode.yaml=here" {
		t.Errorf("explicit file: %q", got)
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	clean(t)
	_, err := config.Load("missing.yaml")
	if !errors.Is(err, fs.ErrNotExist) || fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "codemode init") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := config.Load("."); err == nil || fault.CodeOf(err) != fault.Config {
		t.Errorf("directory: %v", err)
	}
	write(t, "huge.yaml", strings.Repeat("#", config.MaxFileSize+1))
	if _, err := config.Load("huge.yaml"); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("huge file: %v", err)
	}
	write(t, "full.yaml", strings.Repeat("#", config.MaxFileSize))
	if _, err := config.Load("full.yaml"); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	// A link to nowhere is a file that somebody meant to be there.
	if err := os.Symlink("nowhere", config.FileName); err != nil {
		t.Skip(err)
	}
	if _, err := config.Load(""); err == nil {
		t.Error("a dangling codemode.yaml is passed over")
	}
}

// Each half must start in an environment that is wrong or empty for the other.
func TestEachHalfReadsOnlyItsOwnEnvironment(t *testing.T) {
	clean(t)
	t.Setenv("CODEMODE_PORT", "tcp://10.0.0.1:8001")
	t.Setenv("CODEMODE_EXECUTOR_URL", "http://executor:8001")
	t.Setenv("CODEMODE_EXECUTOR_API_KEY", "k1")
	client, err := config.ClientFromEnv(config.Override{Key: "executor.timeout", Value: "5"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.ClientConfig{ExecutorURL: "http://executor:8001", ExecutorAPIKey: config.NewSecret("k1"), Timeout: 5 * time.Second}
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := config.SidecarFromEnv(); err == nil {
		t.Error("the executor took the port")
	}

	t.Setenv("CODEMODE_PORT", "")
	t.Setenv("CODEMODE_EXECUTOR_URL", "nonsense")
	if _, err := config.ClientFromEnv(); err == nil {
		t.Error("the client took the URL")
	}
	sidecar, err := config.SidecarFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if len(sidecar.APIKeys) != 0 {
		t.Error("the executor took the client's key")
	}
}

// An executor that anyone can reach and that asks for no key runs anyone's programs.
func TestAnExecutorWithoutAKeyStaysOnItsMachine(t *testing.T) {
	tests := []struct {
		name string
		edit func(*config.SidecarConfig)
		ok   bool
	}{
		{"default", func(*config.SidecarConfig) {}, true},
		{"localhost", func(s *config.SidecarConfig) { s.Host = "localhost" }, true},
		{"IPv6 loopback", func(s *config.SidecarConfig) { s.Host = "::1" }, true},
		{"all of 127", func(s *config.SidecarConfig) { s.Host = "127.9.9.9" }, true},
		{"all addresses", func(s *config.SidecarConfig) { s.Host = "0.0.0.0" }, false},
		{"all addresses, IPv6", func(s *config.SidecarConfig) { s.Host = "::" }, false},
		{"a name", func(s *config.SidecarConfig) { s.Host = "localhost.example.com" }, false},
		{"socket", func(s *config.SidecarConfig) { s.Host, s.Socket = "0.0.0.0", "/run/x.sock" }, true},
		{"key", func(s *config.SidecarConfig) {
			s.Host, s.APIKeys = "0.0.0.0", []config.Secret{config.NewSecret("k")}
		}, true},
		{"unset key", func(s *config.SidecarConfig) { s.Host, s.APIKeys = "0.0.0.0", []config.Secret{{}} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := config.DefaultSidecar()
			tt.edit(&s)
			if err := s.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

// A program that fills in the struct must be held to the rules that a file is held to.
func TestAStructIsHeldToTheRulesOfTheFile(t *testing.T) {
	s := config.DefaultSidecar()
	s.Limits.Threads = 0
	s.Limits.CodeTimeout = -1
	s.Limits.Memory = 1
	s.Network.Mode = "some"
	s.Network.AllowedDomains = []string{"https://example.com/"}
	s.Network.Connections = 0
	s.Execution.AllowDirectExecution = true
	s.Execution.AllowedCommands = []string{"git status"}
	s.Filesystem.Outputs.Mount = "outputs"
	s.Sandbox.Require = "whatever"
	s.Pool.MinReady = s.Pool.MaxWorkers + 1
	s.Python = "python3"
	s.APIKeys = []config.Secret{config.NewSecret("hunter2 ")}
	err := s.Validate()
	var keys []string
	for _, p := range config.Problems(err) {
		keys = append(keys, p.Key)
	}
	want := []string{
		"executor.python", "executor.limits.code_timeout", "executor.limits.memory_limit", "executor.limits.threads",
		"executor.filesystem.outputs.mount", "executor.network.mode", "executor.network.allowed_domains", "executor.network.connections",
		"executor.execution.allowed_commands", "executor.sandbox.require", "executor.server.api_keys", "executor.pool.min_ready",
	}
	if diff := cmp.Diff(want, keys, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a key is in the error: %v", err)
	}
	if len(config.Problems((config.SidecarConfig{}).Validate())) < 10 {
		t.Error("the zero SidecarConfig is accepted")
	}
}

func TestAClientLiteralNeedsOnlyWhatHasNoDefault(t *testing.T) {
	got, err := config.ClientConfig{}.Complete()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default().Client(), got); diff != "" || !got.Embedded() || got.Secure() {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range []config.ClientConfig{
		{Timeout: -1}, {TLSClientCertPath: "c.crt"}, {ExecutorURL: "nonsense"}, {ExecutorAPIKey: config.NewSecret("a\nb")},
	} {
		if _, err := c.Complete(); fault.CodeOf(err) != fault.Config || len(config.Problems(err)) != 1 {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if c := (config.ClientConfig{ExecutorURL: "https://h"}); c.Embedded() || !c.Secure() {
		t.Error("https is not secure")
	}
}

// Two configurations from one Config must not share memory that one of them changes.
func TestTheHalvesAreCopies(t *testing.T) {
	c, err := config.Parse("f", []byte("executor: {sandbox: {require: [landlock]}, api_key: k}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Sidecar()
	s.Sandbox.Layers[0], s.APIKeys[0] = "x", config.Secret{}
	if again := c.Sidecar(); again.Sandbox.Layers[0] != "landlock" || !again.APIKeys[0].IsSet() {
		t.Error("shared")
	}
	config.Layers()[0] = "x"
	if config.Layers()[0] == "x" {
		t.Error("Layers is shared")
	}
}

func TestInitWritesAFileThatSaysTheDefaults(t *testing.T) {
	parse := func(text string) *config.Config {
		t.Helper()
		c, err := config.Parse("codemode.yaml", []byte(text), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return c
	}
	want := config.Default()
	want.File, want.Project.Name = "codemode.yaml", "my-project"
	if diff := cmp.Diff(want, parse(string(config.Init()))); diff != "" {
		t.Errorf("as written (-default +file):\n%s", diff)
	}

	// Every commented key must be right as well when somebody removes the "# ".
	commented := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: \S*)$`)
	text := commented.ReplaceAllString(string(config.Init()), "$1$2")
	c, err := config.Parse("codemode.yaml", []byte(text), environment("CODEMODE_API_KEY=k\nCODEMODE_CALLBACK_API_KEY=c"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want.Framework.Type = "openai"
	want.Executor.APIKey = config.NewSecret("k")
	want.Executor.CacheDir = "/var/cache/codemode"
	want.Executor.Filesystem.Workspace.Mount, want.Executor.Filesystem.Workspace.Source = "/workspace", "/srv/data"
	want.Executor.Filesystem.Sandbox.Mount, want.Executor.Filesystem.Outputs.Mount = "/sandbox", "/outputs"
	want.Executor.Server.Socket, want.Executor.Server.HTTPAddress = "/run/codemode/executor.sock", "127.0.0.1:8002"
	want.Executor.Server.APIKeys = []config.Secret{config.NewSecret("k")}
	want.Executor.APIKeyFile, want.Executor.Server.APIKeysFile = "/run/secrets/codemode-key", "/run/secrets/codemode-keys"
	want.Executor.Callback = config.Callback{Listen: ":50051", URL: "http://app:50051", APIKey: config.NewSecret("c")}
	want.GRPC.TLS = config.TLS{
		Mode: "custom", CertFile: "./certs/server.crt", KeyFile: "./certs/server.key", CAFile: "./certs/ca.crt",
		ClientCertFile: "./certs/client.crt", ClientKeyFile: "./certs/client.key",
		ClientAuth: "require", ServerName: "executor.internal",
	}
	// Examples: the defaults depend on the machine.
	want.Executor.Pool.MaxWorkers, want.Executor.Pool.ForkServers = 8, 2
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("with every key (-default +file):\n%s", diff)
	}
}

func TestAMisspelledVariableIsNamedWithoutItsValue(t *testing.T) {
	environ := []string{"CODEMODE_MEMORY_LIMT=hunter2", "CODEMODE_PORT=1", "CODEMODE_CONFIG=x", "CODEMODE_SERVICE_HOST=1", "CODEMODE_TEST_KERNEL=1", "CODEMODE_TOOL_LISTS=1", "HOME=/"}
	got := config.UnknownVariables(environ)
	want := []string{
		"CODEMODE_MEMORY_LIMT is not read by codemode; did you mean CODEMODE_MEMORY_LIMIT?",
		"CODEMODE_SERVICE_HOST is not read by codemode",
		"CODEMODE_TEST_KERNEL is not read by codemode",
		"CODEMODE_TOOL_LISTS is not read by codemode",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], config.MisspelledVariables(environ)); diff != "" {
		t.Errorf("in an application (-want +got):\n%s", diff)
	}
}

// A YAML document can be small and mean a lot of work.
func TestABombOfAFileIsRefusedAtOnce(t *testing.T) {
	bombs := map[string]string{
		"deep flow":   strings.Repeat("[", config.MaxFileSize),
		"deep maps":   strings.Repeat("{a: ", config.MaxFileSize/4),
		"deep blocks": strings.Repeat("- ", config.MaxFileSize/2),
		"aliases": func() string {
			var b strings.Builder
			b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
			for i := range 30 {
				n, m := string(rune('a'+i%26))+strings.Repeat("z", i/26+1), string(rune('a'+(i+25)%26))+strings.Repeat("z", (i+25)/26)
				if i == 0 {
					m = "a0"
				}
				b.WriteString(n + ": &" + n + " [*" + m + ", *" + m + ", *" + m + ", *" + m + "]\n")
			}
			return b.String()
		}(),
		"alias to itself": "executor: &e\n  limits: *e\n",
		"many keys":       strings.Repeat("a: 1\n", config.MaxFileSize/5),
		"long key":        strings.Repeat("a", config.MaxFileSize-4) + ": 1",
		"dollars":         "project: {name: '" + strings.Repeat("${A:-}", config.MaxFileSize/6-10) + "$x'}",
	}
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := config.Parse("f", []byte(text), nil)
			if err == nil {
				t.Error("accepted")
			}
			if d := time.Since(start); d > 30*time.Second { // it takes milliseconds, or without end
				t.Errorf("took %v", d)
			}
			if err != nil && len(err.Error()) > 100_000 {
				t.Errorf("the error is %d bytes long", len(err.Error()))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	archive, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archive {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "\n-- ") {
			_, text, _ := strings.Cut(part, " --\n")
			f.Add([]byte(text), "x")
		}
	}
	f.Add(config.Init(), "30s")
	f.Add([]byte("executor: &a {limits: *a, url: *a, server: {api_keys: [*a]}}"), "512Mi")
	f.Add([]byte("executor: {limits: {memory_limit: '${X}', code_timeout: \"${X:-1}\"}, url: ${X}, python: ${X}}"), "http://h:1")
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		getenv := func(string) string { return variable }
		c, err := config.Parse("f", data, getenv)
		if err != nil {
			if fault.CodeOf(err) != fault.Config || len(config.Problems(err)) == 0 {
				t.Fatalf("%T %v", err, err)
			}
		} else if err := c.Sidecar().Validate(); err != nil {
			// The one rule that depends on the process is about the listener.
			for _, p := range config.Problems(err) {
				if p.Key != "executor.server.host" {
					t.Fatalf("parsed, but %v", err)
				}
			}
		}
		if c, err := config.Parse("f", data, nil); err == nil {
			if _, err := c.Client().Complete(); err != nil {
				t.Fatalf("parsed, but %v", err)
			}
		}
	})
}

// Whoever reloads a file is told what of it waits for a restart, and is not shown keys.
func TestChangedNamesWhatDiffersInTheExecutorsHalf(t *testing.T) {
	parse := func(text string) *config.Config {
		c, err := config.Parse("f", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := parse("{executor: {server: {api_keys: [one]}}}")
	after := parse("{project: {name: x}, executor: {timeout: 9, limits: {code_timeout: 9}, server: {api_keys: [two]}}, log: {level: warn}}")
	want := []string{
		"executor.limits.code_timeout", "executor.limits.cpu_time", "executor.server.api_keys",
		"executor.server.drain_timeout", "log.level",
	}
	if diff := cmp.Diff(want, config.Changed(before, after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := config.Changed(after, after); got != nil {
		t.Errorf("nothing changed, but %v", got)
	}
}
