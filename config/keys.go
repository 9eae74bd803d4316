package config

import (
	"log/slog"
	"runtime"
	"strings"
	"time"
)

// readers says who acts on a key.
type readers uint8

const (
	readByClient readers = 1 << iota
	readBySidecar
	readByPeople // informational: nothing acts on it
)

// A key is one row of the table from which the parser, the defaults, the environment,
// the messages, the file that Init writes and docs/configuration.md all come.
type key struct {
	// path is dotted, as the file nests it.
	path string
	value
	// initial is the default as a file would write it; empty for none.
	initial string
	// derive sets the default that depends on other keys, and derived describes it.
	derive  func(c *Config)
	derived string
	// env are the environment variables; the first that is set counts.
	env []string
	// readers are whose environment and whose checks the key belongs to.
	readers readers
	// doc is one sentence or two.
	doc string
	// example is what Init shows for a key without a default.
	example string
	// shown keys are live in the file that Init writes; the others are commented out.
	shown bool
}

const (
	ki = int64(1) << 10
	mi = int64(1) << 20
	gi = int64(1) << 30
	ti = int64(1) << 40
)

var keys = []key{
	{path: "project.name", readers: readByPeople, shown: true, example: "my-project",
		value: optionalText("text", "text of at most 200 bytes", func(c *Config) *string { return &c.Project.Name }, readName),
		doc:   "A name for the project, for people to read."},

	{path: "framework.type", readers: readByPeople, example: "openai",
		value: optionalText("text", "text of at most 200 bytes", func(c *Config) *string { return &c.Framework.Type }, readName),
		doc:   "The agent framework in use."},
	{path: "framework.auto_discover", readers: readByClient, initial: "false",
		value: boolean(func(c *Config) *bool { return &c.Framework.AutoDiscover }),
		doc:   "Whether the tools that imported packages provide (registry.Provide) are registered."},

	{path: "executor.url", readers: readByClient, initial: Embedded, env: []string{"CODEMODE_EXECUTOR_URL"}, shown: true,
		value: text("address", acceptsAddress, func(c *Config) *string { return &c.Executor.URL }, readAddress),
		doc:   "Where the executor is; embedded runs it inside the application. http:// and dns:/// are not encrypted; dns:/// spreads calls over every address of the name."},
	{path: "executor.api_key", readers: readByClient, env: []string{"CODEMODE_EXECUTOR_API_KEY", "CODEMODE_API_KEY"}, example: "${CODEMODE_API_KEY}",
		value: apiKey(func(c *Config) *Secret { return &c.Executor.APIKey }),
		doc:   "The key that the application sends, and that the executor expects unless executor.server.api_keys says otherwise. Name a variable here rather than writing the key into the file."},
	{path: "executor.api_key_file", readers: readByClient, env: []string{"CODEMODE_EXECUTOR_API_KEY_FILE"}, example: "/run/secrets/codemode-key",
		value: optionalText("path", "a path", func(c *Config) *string { return &c.Executor.APIKeyFile }, readPath),
		doc:   "A file whose first key the application sends in place of executor.api_key: one key in a line, lines with # do not count. It is read again when it changes."},
	{path: "executor.timeout", readers: readByClient, env: []string{"CODEMODE_TIMEOUT"},
		value:   duration(func(c *Config) *time.Duration { return &c.Executor.Timeout }, 100*time.Millisecond, 48*time.Hour),
		derive:  func(c *Config) { c.Executor.Timeout = clientTimeout(c) },
		derived: "limits.code_timeout + pool.queue_timeout + 5s",
		doc:     "How long the application waits for one execution, queue and tools included. The default leaves the executor's own limits time to answer first."},
	{path: "executor.python", readers: readBySidecar, initial: "auto", env: []string{"CODEMODE_PYTHON"},
		value: text("path", "auto, or a path such as /usr/bin/python3 or .venv/bin/python", func(c *Config) *string { return &c.Executor.Python }, readPython),
		doc:   "The CPython (3.10 or newer) that runs programs. auto takes the one linked into the binary, else python3 from PATH. A relative path counts from the working directory."},
	{path: "executor.cache_dir", readers: readBySidecar, env: []string{"CODEMODE_CACHE_DIR"}, example: "/var/cache/codemode",
		value:   optionalText("path", "a path", func(c *Config) *string { return &c.Executor.CacheDir }, readPath),
		derived: "the directory codemode in the user's cache directory",
		doc:     "Where a linked-in CPython is unpacked."},

	{path: "executor.limits.code_timeout", readers: readBySidecar, initial: "30s", env: []string{"CODEMODE_MAX_EXEC_TIME"}, shown: true,
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Limits.CodeTimeout }, 100*time.Millisecond, 24*time.Hour),
		doc:   "Wall-clock time of the whole run, tool calls included. A bare number is seconds."},
	{path: "executor.limits.approval_wait", readers: readBySidecar, initial: "10m", env: []string{"CODEMODE_APPROVAL_WAIT"},
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Limits.ApprovalWait }, 0, 24*time.Hour),
		doc:   "How long, over the whole run, tool calls may wait for a person's approval without the wait counting as code_timeout. What is over counts."},
	{path: "executor.limits.max_code_length", readers: readBySidecar, initial: "100000", env: []string{"CODEMODE_MAX_CODE_LENGTH"}, shown: true,
		value: count(func(c *Config) *int { return &c.Executor.Limits.MaxCodeLength }, 1, 1_000_000),
		doc:   "Length of the program, in characters."},
	{path: "executor.limits.memory_limit", readers: readBySidecar, initial: "512Mi", env: []string{"CODEMODE_MEMORY_LIMIT"}, shown: true,
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.Memory }, 32*mi, 16*ti),
		doc:   "Memory of the program."},
	{path: "executor.limits.cpu_time", readers: readBySidecar, env: []string{"CODEMODE_CPU_TIME"},
		value:   duration(func(c *Config) *time.Duration { return &c.Executor.Limits.CPUTime }, 100*time.Millisecond, 24*time.Hour),
		derive:  func(c *Config) { c.Executor.Limits.CPUTime = c.Executor.Limits.CodeTimeout },
		derived: "limits.code_timeout",
		doc:     "Processor time of the program, rounded up to whole seconds by the kernel."},
	{path: "executor.limits.threads", readers: readBySidecar, initial: "64", env: []string{"CODEMODE_THREADS"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.Threads }, 1, 4096),
		doc:   "Threads of the program, the main one included, and those of the commands it starts."},
	{path: "executor.limits.processors", readers: readBySidecar, initial: "0", env: []string{"CODEMODE_PROCESSORS"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.Processors }, 0, 4096),
		doc:   "Processors that the program may keep busy at once; 0 for all. It takes cgroup v2 with a cpu controller that is the executor's to use, without which an executor with this limit does not start."},
	{path: "executor.limits.open_files", readers: readBySidecar, initial: "256", env: []string{"CODEMODE_OPEN_FILES"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.OpenFiles }, 16, 65536),
		doc:   "File descriptors of the program."},
	{path: "executor.limits.file_size", readers: readBySidecar, initial: "64Mi", env: []string{"CODEMODE_FILE_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.FileSize }, 4*ki, ti),
		doc:   "Size of each file the program writes."},
	{path: "executor.limits.scratch_size", readers: readBySidecar, initial: "64Mi", env: []string{"CODEMODE_SCRATCH_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.ScratchSize }, 4*ki, ti),
		doc:   "Size of all files in the scratch directory together."},
	{path: "executor.limits.scratch_files", readers: readBySidecar, initial: "4096", env: []string{"CODEMODE_SCRATCH_FILES"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.ScratchFiles }, 16, 1_000_000),
		doc:   "Files and directories in the scratch directory (inodes)."},
	{path: "executor.limits.artifacts_size", readers: readBySidecar, initial: "16Mi", env: []string{"CODEMODE_ARTIFACTS_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.ArtifactsSize }, 4*ki, 256*mi),
		doc:   "Files left in filesystem.outputs, together; what does not fit is named in the result and left out."},
	{path: "executor.limits.artifact_files", readers: readBySidecar, initial: "100", env: []string{"CODEMODE_ARTIFACT_FILES"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.ArtifactFiles }, 1, 10_000),
		doc:   "Number of those files."},
	{path: "executor.limits.output_size", readers: readBySidecar, initial: "1Mi", env: []string{"CODEMODE_OUTPUT_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.OutputSize }, ki, gi),
		doc:   "Standard output and standard error together."},
	{path: "executor.limits.result_size", readers: readBySidecar, initial: "8Mi", env: []string{"CODEMODE_RESULT_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.ResultSize }, ki, 256*mi),
		doc:   "The program's result, encoded."},
	{path: "executor.limits.tool_calls", readers: readBySidecar, initial: "1000", env: []string{"CODEMODE_TOOL_CALLS"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.ToolCalls }, 1, 1_000_000),
		doc:   "Tool calls of one execution."},
	{path: "executor.limits.concurrent_tool_calls", readers: readBySidecar, initial: "128", env: []string{"CODEMODE_CONCURRENT_TOOL_CALLS"},
		value: count(func(c *Config) *int { return &c.Executor.Limits.ConcurrentToolCalls }, 1, 4096),
		doc:   "Tool calls of one execution that run at once; further ones wait."},
	{path: "executor.limits.tool_value_size", readers: readBySidecar, initial: "8Mi", env: []string{"CODEMODE_TOOL_VALUE_SIZE"},
		value: size(func(c *Config) *int64 { return &c.Executor.Limits.ToolValueSize }, ki, 256*mi),
		doc:   "The arguments of one tool call, encoded, and likewise its result."},

	mount("workspace", "no such directory", "Where programs see the directory of workspace.source.", func(c *Config) *Mount { return &c.Executor.Filesystem.Workspace }),
	{path: "executor.filesystem.workspace.source", readers: readBySidecar, env: []string{"CODEMODE_WORKSPACE_SOURCE"}, example: "/srv/data",
		value:   optionalText("path", "the absolute path of a directory", func(c *Config) *string { return &c.Executor.Filesystem.Workspace.Source }, readSource),
		derived: "filesystem.workspace.mount",
		doc:     "The executor's directory that all programs share. Where no mounts can be made (most containers) it must be the same path as workspace.mount: mount a volume there."},
	readonly("workspace", "true", "Whether programs can only read it. What they write stays, for every later program to find, and only the file system behind it bounds how much.", func(c *Config) *Mount { return &c.Executor.Filesystem.Workspace }),
	mount("sandbox", "/sandbox, or a directory below TMPDIR where no mounts can be made", "Where a program has its scratch directory, which is its working directory. Where no mounts can be made, each has one of its own below this path, which must then exist.", func(c *Config) *Mount { return &c.Executor.Filesystem.Sandbox }),
	readonly("sandbox", "false", "Whether programs cannot write there, and so have no scratch files.", func(c *Config) *Mount { return &c.Executor.Filesystem.Sandbox }),
	mount("outputs", "no such directory", "Where a program leaves files that come back as artifacts: a fresh, empty directory for each run, also reached as outputs in the working directory and by os.environ['CODEMODE_OUTPUTS']. Where no mounts can be made, it is a directory below this path, which must then exist.", func(c *Config) *Mount { return &c.Executor.Filesystem.Outputs }),
	readonly("outputs", "false", "Whether programs cannot write there, and so leave no artifacts.", func(c *Config) *Mount { return &c.Executor.Filesystem.Outputs }),

	{path: "executor.network.mode", readers: readBySidecar, initial: NetworkNone, env: []string{"CODEMODE_NETWORK_MODE"},
		value: choice(func(c *Config) *string { return &c.Executor.Network.Mode }, NetworkNone, NetworkRestricted, NetworkAll),
		doc:   "none: nothing, programs can make no socket. restricted: HTTP and HTTPS to allowed_domains, through a proxy of the executor's that checks every address; urllib, requests and httpx use it unchanged. all: whatever the executor's machine can reach, its own services included, unfiltered and unlogged."},
	{path: "executor.network.allowed_domains", readers: readBySidecar, initial: "[]", env: []string{"CODEMODE_NETWORK_ALLOWED_DOMAINS"},
		value: domains(func(c *Config) *[]string { return &c.Executor.Network.AllowedDomains }),
		doc:   "What mode restricted lets programs reach; nothing if empty. *.example.com is every name below example.com but not itself, * is every name; an address counts only if it is listed. Ports 80 and 443, or the one behind the entry's colon."},
	{path: "executor.network.blocked_domains", readers: readBySidecar, initial: "[]", env: []string{"CODEMODE_NETWORK_BLOCKED_DOMAINS"},
		value: domains(func(c *Config) *[]string { return &c.Executor.Network.BlockedDomains }),
		doc:   "What mode restricted refuses even though allowed_domains has it. Every port, or the one behind the entry's colon."},
	{path: "executor.network.allow_private", readers: readBySidecar, initial: "false", env: []string{"CODEMODE_NETWORK_ALLOW_PRIVATE"},
		value: boolean(func(c *Config) *bool { return &c.Executor.Network.AllowPrivate }),
		doc:   "Whether mode restricted connects to allowed names that lead to private and loopback addresses, and to this machine. Link-local addresses and those of cloud metadata services must be listed by address as well."},
	{path: "executor.network.connections", readers: readBySidecar, initial: "32", env: []string{"CODEMODE_NETWORK_CONNECTIONS"},
		value: count(func(c *Config) *int { return &c.Executor.Network.Connections }, 1, 1024),
		doc:   "Connections of one execution that are open at once in mode restricted."},
	{path: "executor.network.bytes", readers: readBySidecar, initial: "256Mi", env: []string{"CODEMODE_NETWORK_BYTES"},
		value: size(func(c *Config) *int64 { return &c.Executor.Network.Bytes }, ki, 16*ti),
		doc:   "What one execution sends and receives in mode restricted, together."},
	{path: "executor.execution.allow_direct_execution", readers: readBySidecar, initial: "false",
		value: boolean(func(c *Config) *bool { return &c.Executor.Execution.AllowDirectExecution }),
		doc:   "Whether programs may start commands: those of allowed_commands, within the sandbox and the limits of the program."},
	{path: "executor.execution.allowed_commands", readers: readBySidecar, initial: "[]",
		value: commands(func(c *Config) *[]string { return &c.Executor.Execution.AllowedCommands }),
		doc:   "Commands that programs may start, by path, or by name in /usr/local/bin, /usr/bin, /bin, /usr/sbin or /sbin. os.system and shell=True need sh."},

	{path: "executor.sandbox.require", readers: readBySidecar, initial: RequireStrict, env: []string{"CODEMODE_SANDBOX_REQUIRE"},
		value: requirement(func(c *Config) *Sandbox { return &c.Executor.Sandbox }),
		doc:   "Below this the executor does not start. strict: files, network, system calls and resources are all confined. A list: these layers are in force. unsafe-none: run programs with no isolation at all, with every right of the executor."},

	{path: "executor.pool.min_ready", readers: readBySidecar, initial: "4", env: []string{"CODEMODE_POOL_MIN_READY"},
		value:   count(func(c *Config) *int { return &c.Executor.Pool.MinReady }, 0, 4096),
		derive:  fewerReady,
		derived: "4, or pool.max_workers if that is less",
		doc:     "Confined workers that wait for a program; more for a while after a burst. 0 makes each one on demand."},
	{path: "executor.pool.fork_servers", readers: readBySidecar, env: []string{"CODEMODE_POOL_FORK_SERVERS"}, example: "2",
		value: count(func(c *Config) *int { return &c.Executor.Pool.ForkServers }, 1, 64),
		derive: func(c *Config) {
			if c.Executor.Pool.ForkServers == 0 {
				c.Executor.Pool.ForkServers = max(1, min(64, runtime.GOMAXPROCS(0)/8))
			}
		},
		derived: "1 for every 8 CPUs, and at least 1",
		doc:     "Processes that make workers, each with an interpreter and the preloaded modules in memory. One makes some 2,000 workers a second."},
	{path: "executor.pool.max_workers", readers: readBySidecar, env: []string{"CODEMODE_POOL_MAX_WORKERS"}, example: "8",
		value:   count(func(c *Config) *int { return &c.Executor.Pool.MaxWorkers }, 1, 4096),
		derive:  func(c *Config) { c.Executor.Pool.MaxWorkers = workers(c) },
		derived: "4 for each CPU, and at least 8 and pool.min_ready",
		doc:     "Programs that run at once."},
	{path: "executor.pool.max_per_client", readers: readBySidecar, initial: "0", env: []string{"CODEMODE_POOL_MAX_PER_CLIENT"},
		value: count(func(c *Config) *int { return &c.Executor.Pool.MaxPerClient }, 0, 4096),
		doc:   "Programs of one client that run at once; further ones wait. 0 for pool.max_workers. A client is whoever shows the same API key; where there are no keys the same certificate, or else comes from the same address. Free workers go to the client with the fewest running."},
	{path: "executor.pool.preload", readers: readBySidecar, initial: "[]", env: []string{"CODEMODE_POOL_PRELOAD"},
		value: modules(func(c *Config) *[]string { return &c.Executor.Pool.Preload }),
		doc:   "Python modules that are imported once, ahead of all programs, such as [numpy, pandas]. The executor does not start if one cannot be imported, or leaves threads, descriptors or processes behind. With any of them OpenBLAS, OpenMP and MKL calculate on one thread, since threads do not outlive a fork. numpy's global random numbers differ between programs; another module with a generator of its own has to see to that by os.register_at_fork."},
	{path: "executor.pool.queue", readers: readBySidecar, initial: "64", env: []string{"CODEMODE_POOL_QUEUE"},
		value: count(func(c *Config) *int { return &c.Executor.Pool.Queue }, 0, 100_000),
		doc:   "Programs that wait for a worker; further ones are refused at once, with a hint when to try again. In a full queue one of the client that asks for most gives way to a client that asks for less. 0 lets none wait."},
	{path: "executor.pool.queue_timeout", readers: readBySidecar, initial: "10s", env: []string{"CODEMODE_POOL_QUEUE_TIMEOUT"},
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Pool.QueueTimeout }, time.Millisecond, 23*time.Hour),
		doc:   "How long a program waits for a worker before it is refused."},

	{path: "executor.sessions.max", readers: readBySidecar, initial: "0", env: []string{"CODEMODE_SESSIONS_MAX"},
		value: count(func(c *Config) *int { return &c.Executor.Sessions.Max }, 0, 4095),
		doc:   "Sessions of all callers that are open at once. Each keeps a worker, one of pool.max_workers, of which at least one must be left. 0, the default, refuses runs that ask for a session."},
	{path: "executor.sessions.idle_timeout", readers: readBySidecar, initial: "10m", env: []string{"CODEMODE_SESSIONS_IDLE_TIMEOUT"},
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Sessions.IdleTimeout }, 100*time.Millisecond, 48*time.Hour),
		doc:   "How long after its last run a session ends."},
	{path: "executor.sessions.lifetime", readers: readBySidecar, initial: "1h", env: []string{"CODEMODE_SESSIONS_LIFETIME"},
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Sessions.Lifetime }, 100*time.Millisecond, 30*24*time.Hour),
		doc:   "How long after its beginning a session ends; a run that is under way comes to its end first."},

	{path: "executor.server.host", readers: readBySidecar, initial: "127.0.0.1", env: []string{"CODEMODE_HOST"},
		value: text("host", "an address or a name, without port and scheme", func(c *Config) *string { return &c.Executor.Server.Host }, readHost),
		doc:   "Address to listen on. Anything but a loopback address needs an API key."},
	{path: "executor.server.port", readers: readBySidecar, initial: "8001", env: []string{"CODEMODE_PORT"},
		value: count(func(c *Config) *int { return &c.Executor.Server.Port }, 0, 65535),
		doc:   "TCP port to listen on; 0 takes any free one."},
	{path: "executor.server.socket", readers: readBySidecar, env: []string{"CODEMODE_SOCKET"}, example: "/run/codemode/executor.sock",
		value: optionalText("path", "a path of at most 107 bytes", func(c *Config) *string { return &c.Executor.Server.Socket }, readSocket),
		doc:   "Unix socket to listen on in place of host and port."},
	{path: "executor.server.socket_mode", readers: readBySidecar, initial: SocketOwner, env: []string{"CODEMODE_SOCKET_MODE"},
		value: choice(func(c *Config) *string { return &c.Executor.Server.SocketMode }, SocketOwner, SocketGroup),
		doc:   "Who may connect to the unix socket: 0600 its owner alone, 0660 its group as well, for an application that runs as another user."},
	{path: "executor.server.api_keys", readers: readBySidecar, env: []string{"CODEMODE_API_KEY"}, example: "[\"${CODEMODE_API_KEY}\"]",
		value:   apiKeys(func(c *Config) *[]Secret { return &c.Executor.Server.APIKeys }),
		derived: "the file's executor.api_key",
		doc:     "Keys that admit a caller, any one of them, so that keys can be rotated; the environment variable holds one. If there is none, every caller is admitted."},
	{path: "executor.server.api_keys_file", readers: readBySidecar, env: []string{"CODEMODE_API_KEYS_FILE"}, example: "/run/secrets/codemode-keys",
		value: optionalText("path", "a path", func(c *Config) *string { return &c.Executor.Server.APIKeysFile }, readPath),
		doc:   "A file with further keys that admit a caller, one in a line; lines with # do not count. It is read again when it changes; a change that leaves no usable key is logged, and the keys before it stay."},
	{path: "executor.server.http_address", readers: readBySidecar, env: []string{"CODEMODE_HTTP_ADDRESS"}, example: "127.0.0.1:8002",
		value: optionalText("address", "host:port or :port", func(c *Config) *string { return &c.Executor.Server.HTTPAddress }, readListen),
		doc:   "Where codemode serve answers /healthz, /readyz and /metrics, in plain HTTP and without a key: they tell names of tools, and no program, value or key. Nowhere if not set; :8002 is every address of the machine."},
	{path: "executor.server.drain_timeout", readers: readBySidecar, env: []string{"CODEMODE_DRAIN_TIMEOUT"},
		value:   duration(func(c *Config) *time.Duration { return &c.Executor.Server.DrainTimeout }, 0, 48*time.Hour),
		derive:  func(c *Config) { c.Executor.Server.DrainTimeout = c.Executor.Limits.CodeTimeout + time.Second },
		derived: "limits.code_timeout + 1s",
		doc:     "How long a stopping executor lets what runs come to its end before it cuts it off."},
	{path: "executor.server.max_connection_age", readers: readBySidecar, initial: "2m", env: []string{"CODEMODE_MAX_CONNECTION_AGE"},
		value: duration(func(c *Config) *time.Duration { return &c.Executor.Server.MaxConnectionAge }, 0, 24*time.Hour),
		doc:   "How long a client's connection takes new programs, within a tenth; the client then makes another one, and what runs comes to its end on the old one. This is how clients of a dns:/// address come to know of executors that were added. 0 is without end."},

	{path: "executor.callback.listen", readers: readByClient, env: []string{"CODEMODE_CALLBACK_LISTEN"}, example: ":50051",
		value: optionalText("address", "host:port or :port", func(c *Config) *string { return &c.Executor.Callback.Listen }, readListen),
		doc:   "Where the application serves its tools to the executor, which makes callback mode of it; :50051 is every address of the machine. Nowhere if not set, or with the embedded executor. codemode exec uses the stream all the same."},
	{path: "executor.callback.url", readers: readByClient, env: []string{"CODEMODE_CALLBACK_URL"}, example: "http://app:50051",
		value: optionalText("address", "http://host:port, https://host:port or dns:///host:port", func(c *Config) *string { return &c.Executor.Callback.URL }, readCallback),
		doc:   "By which address the executor reaches listen: one that its executor.callback.addresses has. With https:// or grpc.tls.enabled the application serves TLS with grpc.tls.client_cert_file, and asks for the executor's certificate if there is a ca_file."},
	{path: "executor.callback.addresses", readers: readBySidecar, initial: "[]", env: []string{"CODEMODE_CALLBACK_ADDRESSES"},
		value: addresses(func(c *Config) *[]string { return &c.Executor.Callback.Addresses }),
		doc:   "The tool services that the executor may dial, such as http://app:50051; a client that names another one is refused. None if empty. With https:// or grpc.tls.enabled it shows its own certificate there."},
	{path: "executor.callback.api_key", readers: readByClient | readBySidecar, env: []string{"CODEMODE_CALLBACK_API_KEY"}, example: "${CODEMODE_CALLBACK_API_KEY}",
		value: apiKey(func(c *Config) *Secret { return &c.Executor.Callback.APIKey }),
		doc:   "The key that the executor sends there, besides the capability of the execution, and that the application asks for at listen."},

	{path: "grpc.tls.enabled", readers: readByClient | readBySidecar, initial: "false", env: []string{"CODEMODE_TLS_ENABLED"},
		value: boolean(func(c *Config) *bool { return &c.GRPC.TLS.Enabled }),
		doc:   "Whether the executor serves TLS 1.3, and the application speaks it whatever the scheme of executor.url; with an https:// address the application does so anyway. An executor needs cert_file and key_file."},
	{path: "grpc.tls.mode", readers: readByClient | readBySidecar, initial: "system", env: []string{"CODEMODE_TLS_MODE"}, example: "custom",
		value:   choice(func(c *Config) *string { return &c.GRPC.TLS.Mode }, "system", "custom"),
		derive:  func(c *Config) { c.GRPC.TLS.Mode = tlsMode(c.GRPC.TLS) },
		derived: "custom if ca_file is set, else system",
		doc:     "Which authorities vouch for the executor: those of the machine, or those of ca_file."},
	pem("cert_file", "The executor's certificate, followed by those between it and the authority.", readBySidecar, func(c *Config) *string { return &c.GRPC.TLS.CertFile }),
	pem("key_file", "The executor's private key.", readBySidecar, func(c *Config) *string { return &c.GRPC.TLS.KeyFile }),
	pem("ca_file", "The authorities from which the other end's certificate must come.", readByClient|readBySidecar, func(c *Config) *string { return &c.GRPC.TLS.CAFile }),
	pem("client_cert_file", "The application's certificate.", readByClient, func(c *Config) *string { return &c.GRPC.TLS.ClientCertFile }),
	pem("client_key_file", "The application's private key.", readByClient, func(c *Config) *string { return &c.GRPC.TLS.ClientKeyFile }),
	{path: "grpc.tls.client_auth", readers: readBySidecar, initial: ClientAuthNone, env: []string{"CODEMODE_TLS_CLIENT_AUTH"}, example: ClientAuthRequire,
		value:   choice(func(c *Config) *string { return &c.GRPC.TLS.ClientAuth }, ClientAuthNone, ClientAuthRequire),
		derive:  func(c *Config) { c.GRPC.TLS.ClientAuth = clientAuth(c.GRPC.TLS) },
		derived: "require if client_cert_file is set, else none",
		doc:     "Whether the executor speaks only to applications with a certificate from ca_file."},
	{path: "grpc.tls.server_name", readers: readByClient, env: []string{"CODEMODE_TLS_SERVER_NAME"}, example: "executor.internal",
		value:   optionalText("host", "an address or a name, without port and scheme", func(c *Config) *string { return &c.GRPC.TLS.ServerName }, readHost),
		derived: "the host of executor.url; localhost for a unix socket",
		doc:     "The name that the executor's certificate must have."},

	{path: "log.level", readers: readBySidecar, initial: "info", env: []string{"CODEMODE_LOG_LEVEL"},
		value: level(func(c *Config) *slog.Level { return &c.Log.Level }),
		doc:   "The least severe level that is written."},
	{path: "log.format", readers: readBySidecar, initial: LogText, env: []string{"CODEMODE_LOG_FORMAT"},
		value: choice(func(c *Config) *string { return &c.Log.Format }, LogText, LogJSON),
		doc:   "How codemode serve writes its log: key=value pairs, or a JSON object in each line."},
	{path: "log.audit", readers: readBySidecar, initial: AuditOff, env: []string{"CODEMODE_LOG_AUDIT"},
		value: choice(func(c *Config) *string { return &c.Log.Audit }, AuditOff, AuditOn, AuditWithCode),
		doc:   "Whether there is a line for each execution, whatever the level: who asked, the program's hash, the tools it called, how it ended, what it used. with-code adds the program itself, which may hold whatever a model was told."},
}

// otherVariables are the environment variables that are no key.
var otherVariables = []struct{ name, doc string }{
	{"CODEMODE_CONFIG", "Path of the file, where none is named explicitly."},
	{"CODEMODE_MCP_API_KEY", "Key that the clients of `codemode mcp --http` send."},
}

func pem(name, doc string, who readers, at func(*Config) *string) key {
	return key{path: "grpc.tls." + name, readers: who, doc: doc, example: "./certs/" + pemFiles[name],
		env:   []string{"CODEMODE_TLS_" + strings.ToUpper(name)},
		value: optionalText("path", "a path", at, readPath)}
}

// pemFiles are the names that codemode tls generate-certs gives the files.
var pemFiles = map[string]string{
	"cert_file": "server.crt", "key_file": "server.key", "ca_file": "ca.crt",
	"client_cert_file": "client.crt", "client_key_file": "client.key",
}

// clientTimeout waits for the executor's answer, which comes after a wait in its queue
// and the run's own limit, and then some for the way.
func clientTimeout(c *Config) time.Duration {
	return c.Executor.Limits.CodeTimeout + c.Executor.Pool.QueueTimeout + 5*time.Second
}

// workers lets programs that wait for tools overlap, which most of the time is what
// programs do.
func workers(c *Config) int {
	return min(4096, max(8, 4*runtime.GOMAXPROCS(0), c.Executor.Pool.MinReady))
}

// fewerReady keeps the default within a max_workers that was set.
func fewerReady(c *Config) {
	if p := &c.Executor.Pool; p.MaxWorkers > 0 {
		p.MinReady = min(p.MinReady, p.MaxWorkers)
	}
}
