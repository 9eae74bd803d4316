package config_test

import (
	"log/slog"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
)

func environment(lines string) func(string) string {
	vars := map[string]string{}
	for line := range strings.Lines(lines) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			vars[name] = value
		}
	}
	return func(name string) string { return vars[name] }
}

// Each case of testdata/errors.txtar is NAME/yaml, NAME/env and NAME/options, of which
// any may be missing, and NAME/error.
func TestAMistakeIsReportedWithItsPlaceAndItsRemedy(t *testing.T) {
	const file = "testdata/errors.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range archive.Files {
		parts[f.Name] = string(f.Data)
	}
	for i, f := range archive.Files {
		name, kind := path.Split(f.Name)
		if kind != "error" {
			continue
		}
		t.Run(strings.TrimSuffix(name, "/"), func(t *testing.T) {
			var overrides []config.Override
			for line := range strings.Lines(parts[name+"options"]) {
				option, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
				key, value, _ := strings.Cut(rest, "=")
				overrides = append(overrides, config.Override{Key: key, Value: value, Source: option})
			}
			_, err := config.Parse("codemode.yaml", []byte(parts[name+"yaml"]), environment(parts[name+"env"]), overrides...)
			if err == nil {
				t.Fatal("no error")
			}
			if fault.CodeOf(err) != fault.Config {
				t.Errorf("code %s", fault.CodeOf(err))
			}
			var got strings.Builder
			for _, p := range config.Problems(err) {
				got.WriteString(p.Error() + "\n")
				if !strings.Contains(err.Error(), p.Error()) {
					t.Errorf("%q is not in the error's text %q", p, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is in the error: %v", err)
			}
			if *config.Update {
				archive.Files[i].Data = []byte(got.String())
				return
			}
			if diff := cmp.Diff(string(f.Data), got.String()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if *config.Update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFileSaysWhatTheGuideSaysItDoes(t *testing.T) {
	tests := []struct {
		name, yaml, env string
		overrides       []config.Override
		want            func(*config.Config)
	}{
		{name: "nothing at all", want: func(*config.Config) {}},
		{name: "only comments", yaml: "# nothing\n", want: func(*config.Config) {}},
		{name: "sections with every key commented out", yaml: "executor:\n  limits:\n  # threads: 1\nlog:\n", want: func(*config.Config) {}},
		{
			name: "the guide's first file",
			yaml: `
project:
  name: my-project

framework:
  type: crewai
  auto_discover: true

executor:
  url: http://localhost:8001
  api_key: ${CODEMODE_API_KEY}
  limits:
    code_timeout: 30
    max_code_length: 10000
    memory_limit: "512Mi"
`,
			env: "CODEMODE_API_KEY=k1\n",
			want: func(c *config.Config) {
				c.Project.Name = "my-project"
				c.Framework = config.Framework{Type: "crewai", AutoDiscover: true}
				c.Executor.URL = "http://localhost:8001"
				c.Executor.APIKey = config.NewSecret("k1")
				c.Executor.Server.APIKeys = []config.Secret{config.NewSecret("k1")}
				c.Executor.Limits.MaxCodeLength = 10000
			},
		},
		{
			name: "the guide's directories, and commands",
			yaml: `
executor:
  filesystem:
    workspace:
      mount: /workspace/
      source: /srv/data
    sandbox:
      mount: /sandbox
      readonly: false
    outputs:
      mount: /outputs
      readonly: false
  execution:
    allow_direct_execution: true
    allowed_commands: [git, /usr/bin/jq]
`,
			want: func(c *config.Config) {
				c.Executor.Filesystem = config.Filesystem{
					Workspace: config.Mount{Mount: "/workspace", Source: "/srv/data", Readonly: true},
					Sandbox:   config.Mount{Mount: "/sandbox"},
					Outputs:   config.Mount{Mount: "/outputs"},
				}
				c.Executor.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"git", "/usr/bin/jq"}}
			},
		},
		{
			name: "an allow-list of domains",
			yaml: `
executor:
  network:
    mode: restricted
    allowed_domains: [PyPI.org, "*.Example.com.", bücher.example, "api.example.net:8443", "2001:DB8::1", pypi.org]
    blocked_domains: [secret.example.com]
    allow_private: true
    connections: 4
    bytes: 10Mi
`,
			want: func(c *config.Config) {
				c.Executor.Network = config.Network{
					Mode:           config.NetworkRestricted,
					AllowedDomains: []string{"pypi.org", "*.example.com", "xn--bcher-kva.example", "api.example.net:8443", "2001:db8::1"},
					BlockedDomains: []string{"secret.example.com"}, AllowPrivate: true, Connections: 4, Bytes: 10 << 20,
				}
			},
		},
		{
			name: "an allow-list of domains from the environment",
			env:  "CODEMODE_NETWORK_MODE=restricted\nCODEMODE_NETWORK_ALLOWED_DOMAINS=pypi.org, *.example.com\n",
			want: func(c *config.Config) {
				c.Executor.Network.Mode = config.NetworkRestricted
				c.Executor.Network.AllowedDomains = []string{"pypi.org", "*.example.com"}
			},
		},
		{
			name: "keys that ask for what is in force anyway",
			yaml: `
executor:
  filesystem: {}
  network:
    mode: none
    allowed_domains: []
    blocked_domains: []
  execution:
    allow_direct_execution: false
    allowed_commands: []
grpc:
  tls: {enabled: false, mode: custom, ca_file: ./certs/ca.crt}
`,
			want: func(c *config.Config) {
				c.GRPC.TLS.Mode, c.GRPC.TLS.CAFile = "custom", "./certs/ca.crt"
			},
		},
		{
			name: "MCP servers",
			yaml: `
mcp_servers:
  files:
    command: npx
    args: [-y, server-filesystem, "${DATA:-/srv/data}", 1]
    dir: /tmp
    env: {TOKEN: "${TOKEN}", EMPTY: ""}
  github:
    url: https://api.githubcopilot.com/mcp/
    headers:
      Authorization: Bearer ${TOKEN}
`,
			env: "TOKEN=hunter2\n",
			want: func(c *config.Config) {
				c.MCPServers = []config.MCPServer{
					{
						Name: "files", Command: "npx", Args: []string{"-y", "server-filesystem", "/srv/data", "1"}, Dir: "/tmp",
						Env: map[string]config.Secret{"TOKEN": config.NewSecret("hunter2"), "EMPTY": {}},
					},
					{Name: "github", URL: "https://api.githubcopilot.com/mcp/", Headers: map[string]config.Secret{"Authorization": config.NewSecret("Bearer hunter2")}},
				}
			},
		},
		{
			name: "OpenAPI documents",
			yaml: `
openapi:
  shop:
    file: ${DIR:-apis}/shop.yaml
    base_url: https://shop.example.com/v2
    headers: {Authorization: "Bearer ${TOKEN}"}
  weather: {url: https://weather.example.com/openapi.json}
`,
			env: "TOKEN=hunter2\n",
			want: func(c *config.Config) {
				c.OpenAPI = []config.OpenAPI{
					{Name: "shop", File: "apis/shop.yaml", BaseURL: "https://shop.example.com/v2", Headers: map[string]config.Secret{"Authorization": config.NewSecret("Bearer hunter2")}},
					{Name: "weather", URL: "https://weather.example.com/openapi.json"},
				}
			},
		},
		{
			name: "the guide's variables of a container",
			env: "CODEMODE_API_KEY=k1\nCODEMODE_MAX_EXEC_TIME=60\nCODEMODE_MEMORY_LIMIT=512m\nCODEMODE_PORT=9001\n" +
				"CODEMODE_LOG_LEVEL=INFO\nCODEMODE_HOST=0.0.0.0\nCODEMODE_SOCKET=/run/x/../e.sock\n",
			want: func(c *config.Config) {
				c.Executor.APIKey = config.NewSecret("k1")
				c.Executor.Server = config.Server{Host: "0.0.0.0", Port: 9001, Socket: "/run/e.sock", SocketMode: config.SocketOwner, APIKeys: []config.Secret{config.NewSecret("k1")}}
				c.Executor.Limits.CodeTimeout, c.Executor.Limits.CPUTime = time.Minute, time.Minute
				c.Executor.Server.DrainTimeout, c.Executor.Server.MaxConnectionAge = time.Minute+time.Second, 2*time.Minute
				c.Executor.Timeout = 75 * time.Second
			},
		},
		{
			name: "the guide's variables of an application",
			env:  "CODEMODE_EXECUTOR_URL=HTTP://executor:8001/\nCODEMODE_EXECUTOR_API_KEY=k1\nCODEMODE_TIMEOUT=30\nCODEMODE_TLS_ENABLED=False\n",
			want: func(c *config.Config) {
				c.Executor.URL, c.Executor.APIKey, c.Executor.Timeout = "http://executor:8001", config.NewSecret("k1"), 30*time.Second
			},
		},
		{
			name: "each end with a key of its own",
			yaml: "executor: {api_key: file}",
			env:  "CODEMODE_EXECUTOR_API_KEY=mine\nCODEMODE_API_KEY=theirs\n",
			want: func(c *config.Config) {
				c.Executor.APIKey = config.NewSecret("mine")
				c.Executor.Server.APIKeys = []config.Secret{config.NewSecret("theirs")}
			},
		},
		{
			name: "a client's variable does not change whom the executor admits",
			yaml: "executor: {api_key: file}",
			env:  "CODEMODE_EXECUTOR_API_KEY=mine\n",
			want: func(c *config.Config) {
				c.Executor.APIKey = config.NewSecret("mine")
				c.Executor.Server.APIKeys = []config.Secret{config.NewSecret("file")}
			},
		},
		{
			name: "keys in rotation",
			yaml: "executor: {server: {api_keys: ['${NEW}', old]}}",
			env:  "NEW=new\n",
			want: func(c *config.Config) {
				c.Executor.Server.APIKeys = []config.Secret{config.NewSecret("new"), config.NewSecret("old")}
			},
		},
		{
			name:      "an option before the environment before the file before the default",
			yaml:      "executor: {limits: {threads: 2, open_files: 32, tool_calls: 7}}",
			env:       "CODEMODE_THREADS=3\nCODEMODE_OPEN_FILES=33\n",
			overrides: []config.Override{{Key: "executor.limits.threads", Value: "4"}},
			want: func(c *config.Config) {
				c.Executor.Limits.Threads, c.Executor.Limits.OpenFiles, c.Executor.Limits.ToolCalls = 4, 33, 7
			},
		},
		{
			name:      "a default that depends on a key follows its last value",
			yaml:      "executor: {limits: {code_timeout: 10}, pool: {queue_timeout: 1s, max_workers: 1}}",
			overrides: []config.Override{{Key: "executor.limits.code_timeout", Value: "1m30s"}},
			want: func(c *config.Config) {
				c.Executor.Limits.CodeTimeout, c.Executor.Limits.CPUTime = 90*time.Second, 90*time.Second
				c.Executor.Server.DrainTimeout = 91 * time.Second
				c.Executor.Pool.QueueTimeout, c.Executor.Pool.MaxWorkers, c.Executor.Pool.MinReady = time.Second, 1, 1
				c.Executor.Timeout = 96 * time.Second
			},
		},
		{
			name: "more ready workers than the default allows in all",
			yaml: "executor: {pool: {min_ready: 1000}}",
			want: func(c *config.Config) { c.Executor.Pool.MinReady, c.Executor.Pool.MaxWorkers = 1000, 1000 },
		},
		{
			name: "expansion in values only, once, and as text",
			yaml: "project: {name: 'a $$ ${A} ${B:-b c} ${C:-}'}\nexecutor:\n  python: ${PY:-auto}\n  server: {socket: '${S:-}'}\n  api_key: ${S:-}\nlog: {level: \"${L}\"}",
			env:  "A=${B} {x: [y\nL=debug\n",
			want: func(c *config.Config) {
				c.Project.Name = "a $ ${B} {x: [y b c "
				c.Log.Level = slog.LevelDebug
			},
		},
		{
			name: "an anchor and its alias",
			yaml: "executor: {limits: {file_size: &s 1Mi, scratch_size: *s}}",
			want: func(c *config.Config) { c.Executor.Limits.FileSize, c.Executor.Limits.ScratchSize = 1<<20, 1<<20 },
		},
		{
			name: "layers by name, in whatever order",
			yaml: "executor: {sandbox: {require: [seccomp, landlock, pid]}}",
			want: func(c *config.Config) {
				c.Executor.Sandbox = config.Sandbox{Require: config.RequireLayers, Layers: []string{"pid", "landlock", "seccomp"}}
			},
		},
		{
			name: "layers from the environment",
			env:  "CODEMODE_SANDBOX_REQUIRE=landlock, seccomp\n",
			want: func(c *config.Config) {
				c.Executor.Sandbox = config.Sandbox{Require: config.RequireLayers, Layers: []string{"landlock", "seccomp"}}
			},
		},
		{
			name: "no isolation, said loudly",
			yaml: "executor: {sandbox: {require: unsafe-none}}",
			want: func(c *config.Config) { c.Executor.Sandbox.Require = config.RequireUnsafeNone },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.Parse("codemode.yaml", []byte(tt.yaml), environment(tt.env), tt.overrides...)
			if err != nil {
				t.Fatal(err)
			}
			want := config.Default()
			want.File = "codemode.yaml"
			tt.want(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	got := config.DefaultSidecar()
	workers := got.Pool.MaxWorkers
	if workers < 8 || workers%4 != 0 {
		t.Errorf("%d workers", workers)
	}
	want := config.SidecarConfig{
		TLS:  config.ServerTLS{ClientAuth: config.ClientAuthNone},
		Host: "127.0.0.1", Port: 8001, SocketMode: config.SocketOwner, Python: "auto",
		Limits: config.Limits{
			CodeTimeout: 30 * time.Second, ApprovalWait: 10 * time.Minute, MaxCodeLength: 100_000, Memory: 512 << 20, CPUTime: 30 * time.Second,
			Threads: 64, OpenFiles: 256, FileSize: 64 << 20, ScratchSize: 64 << 20, ScratchFiles: 4096,
			ArtifactsSize: 16 << 20, ArtifactFiles: 100,
			OutputSize: 1 << 20, ResultSize: 8 << 20, ToolCalls: 1000, ConcurrentToolCalls: 128, ToolValueSize: 8 << 20,
		},
		Filesystem: config.Filesystem{Workspace: config.Mount{Readonly: true}},
		Network:    config.Network{Mode: "none", Connections: 32, Bytes: 256 << 20},
		Sandbox:    config.Sandbox{Require: "strict"},
		Pool:       config.Pool{MinReady: 4, ForkServers: max(1, min(64, runtime.GOMAXPROCS(0)/8)), MaxWorkers: workers, Queue: 64, QueueTimeout: 10 * time.Second},
		Sessions:   config.Sessions{IdleTimeout: 10 * time.Minute, Lifetime: time.Hour},
		LogFormat:  "text", Audit: "off", DrainTimeout: 31 * time.Second, MaxConnectionAge: 2 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	client := config.Default().Client()
	if diff := cmp.Diff(config.ClientConfig{ExecutorURL: "embedded", Timeout: 45 * time.Second}, client); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnitsAreReadTheWayTheirUsersMeanThem(t *testing.T) {
	sizes := map[string]int64{
		"33554432": 32 << 20, "512Mi": 512 << 20, "512m": 512 << 20, "512MiB": 512 << 20, "512MB": 512e6,
		"1.5Gi": 3 << 29, "1g": 1 << 30, "1GB": 1e9, "0.5t": 1 << 39, "65536Ki": 64 << 20, "40000000b": 4e7,
	}
	for text, want := range sizes {
		got, err := config.Parse("f", nil, environment("CODEMODE_MEMORY_LIMIT="+text))
		if err != nil {
			t.Error(err)
		} else if got.Executor.Limits.Memory != want {
			t.Errorf("%s is %d bytes, want %d", text, got.Executor.Limits.Memory, want)
		}
	}
	durations := map[string]time.Duration{
		"30": 30 * time.Second, "30s": 30 * time.Second, "1.5": 1500 * time.Millisecond, "250ms": 250 * time.Millisecond, "1h": time.Hour,
	}
	for text, want := range durations {
		got, err := config.Parse("f", nil, environment("CODEMODE_MAX_EXEC_TIME="+text))
		if err != nil {
			t.Error(err)
		} else if got.Executor.Limits.CodeTimeout != want {
			t.Errorf("%s is %v, want %v", text, got.Executor.Limits.CodeTimeout, want)
		}
	}
	for _, text := range []string{"512M", "512G", "512K", "512mb", "512Xi", "-1", "1e9", "1.5", "", " ", "0x10", "9999999999999999Ti", "1 Gi", "٣"} {
		if text == "" {
			continue
		}
		if _, err := config.Parse("f", []byte("executor: {limits: {memory_limit: '"+text+"'}}"), nil); err == nil {
			t.Errorf("size %q is accepted", text)
		}
	}
	for _, text := range []string{"-1", "0", "30 s", "1d", "1e3", "999999999999999999", "25h", "NaN", "+Inf"} {
		if _, err := config.Parse("f", []byte("executor: {limits: {code_timeout: '"+text+"'}}"), nil); err == nil {
			t.Errorf("duration %q is accepted", text)
		}
	}
}

func TestAddressesHaveOneSpelling(t *testing.T) {
	good := map[string]string{
		"embedded": "embedded", "unix:///run/a//b.sock": "unix:///run/a/b.sock", "http://localhost:8001/": "http://localhost:8001",
		"HTTPS://Executor.example": "https://Executor.example:443", "http://[::1]:8001": "http://[::1]:8001",
		"dns:///executor.ns.svc:8001": "dns:///executor.ns.svc:8001", "https://10.0.0.1:9": "https://10.0.0.1:9",
	}
	for text, want := range good {
		got, err := config.ClientConfig{ExecutorURL: text}.Complete()
		if err != nil {
			t.Error(err)
		} else if got.ExecutorURL != want {
			t.Errorf("%s became %s, want %s", text, got.ExecutorURL, want)
		}
	}
	bad := []string{
		"localhost:8001", "http://localhost", "http://", "http://:8001", "http://h:0", "http://h:65536", "http://h:http", "http://h:1/x",
		"http://h:1?", "http://h:1#", "http://u:p@h:1", "ftp://h:1", "unix://run/x", "unix:///", "unix:///" + strings.Repeat("x", 107),
		"dns://8.8.8.8/h:1", "dns:///h", "Embedded", "http://h h:1", "http://[::1:8001", "unix:///a\x00b", "http://%zz:1", "/run/x.sock",
	}
	for _, text := range bad {
		if _, err := (config.ClientConfig{ExecutorURL: text}).Complete(); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
