package config

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// SidecarConfig is what an executor needs to serve. Start from [DefaultSidecar], or from
// Config.Sidecar: a zero limit is not "no limit" but an error.
type SidecarConfig struct {
	// APIKeys are the keys that admit a caller, any one of them, so that keys can be
	// rotated. If empty, every caller is admitted, and Validate insists on a loopback
	// address or a unix socket.
	APIKeys []Secret
	// APIKeysFile is a file with further keys, one in a line, which is read again when it
	// changes. If empty, there is none.
	APIKeysFile string
	// TLS is how it serves those who connect.
	TLS ServerTLS
	// Callback says where tool calls may go that do not go to the caller.
	Callback Callback
	// Host is the address or name to listen on.
	Host string
	// Port is the TCP port to listen on; zero takes any free one.
	Port int
	// Socket is the path of a unix socket to listen on in place of Host and Port. If
	// empty, TCP.
	Socket string
	// SocketMode is SocketOwner or SocketGroup.
	SocketMode string
	// Limits bound one execution each.
	Limits Limits
	// Filesystem names directories to show to programs.
	Filesystem Filesystem
	// Network says what programs may connect to.
	Network Network
	// Execution says whether programs may start commands.
	Execution Execution
	// Sandbox is the isolation without which the executor must not start.
	Sandbox Sandbox
	// Pool sizes the workers.
	Pool Pool
	// Sessions are those that keep their worker from one program to the next.
	Sessions Sessions
	// Python is the interpreter: "auto", or the path of a CPython 3.10 or newer.
	Python string
	// CacheDir is where a linked-in CPython is unpacked. If empty, the directory codemode
	// in the user's cache directory.
	CacheDir string
	// LogLevel is the least severe level that is written.
	LogLevel slog.Level
	// LogFormat is how a command writes the log: LogText or LogJSON. An executor that is
	// embedded writes to the logger that it was given.
	LogFormat string
	// Audit is AuditOff, AuditOn or AuditWithCode.
	Audit string
	// HTTPAddress is where a command serves probes and metrics: host:port. If empty,
	// nowhere; an executor that is embedded ignores it.
	HTTPAddress string
	// DrainTimeout bounds how long a command that was told to stop lets programs come to
	// their end. Zero cuts them off at once.
	DrainTimeout time.Duration
	// MaxConnectionAge bounds how long a client's connection takes new programs; those that
	// run come to their end on it. Zero is without end.
	MaxConnectionAge time.Duration
}

// Who may connect to a unix socket.
const (
	// SocketOwner: the user that the executor runs as, and root.
	SocketOwner = "0600"
	// SocketGroup: also the group that the executor runs as, or that its directory gives.
	SocketGroup = "0660"
)

// How a log is written.
const (
	LogText = "text"
	LogJSON = "json"
)

// What is written of each execution.
const (
	// AuditOff: nothing.
	AuditOff = "off"
	// AuditOn: a record without the program, which its SHA-256 identifies.
	AuditOn = "on"
	// AuditWithCode: a record with the program.
	AuditWithCode = "with-code"
)

// Limits bound one execution each. None can be switched off.
type Limits struct {
	// CodeTimeout bounds the whole run in wall-clock time, tool calls included.
	CodeTimeout time.Duration
	// ApprovalWait bounds the time, over the whole run, for which waits for a person's
	// approval do not count as CodeTimeout. Zero lets them count.
	ApprovalWait time.Duration
	// MaxCodeLength bounds the program, in characters (Unicode code points).
	MaxCodeLength int
	// Memory bounds the memory of the program's process, in bytes.
	Memory int64
	// CPUTime bounds the processor time of the program. The kernel counts whole seconds,
	// so a fraction is rounded up.
	CPUTime time.Duration
	// Threads bounds the threads of the program, the main one included.
	Threads int
	// OpenFiles bounds the file descriptors of the program.
	OpenFiles int
	// Processors bounds how many processors the program may keep busy, on average over a
	// tenth of a second. If zero, all. Only a cgroup can hold a program to it.
	Processors int
	// FileSize bounds each file the program writes, in bytes.
	FileSize int64
	// ScratchSize bounds all files in the scratch directory together, in bytes.
	ScratchSize int64
	// ScratchFiles bounds the number of files and directories in the scratch directory.
	ScratchFiles int
	// ArtifactsSize bounds the files that come back from Filesystem.Outputs together, in
	// bytes, and ArtifactFiles their number.
	ArtifactsSize int64
	ArtifactFiles int
	// OutputSize bounds standard output and standard error together, in bytes.
	OutputSize int64
	// ResultSize bounds the encoded result, in bytes.
	ResultSize int64
	// ToolCalls bounds the tool calls of one execution.
	ToolCalls int
	// ConcurrentToolCalls bounds the tool calls of one execution that run at once.
	ConcurrentToolCalls int
	// ToolValueSize bounds the encoded arguments of one tool call, and its encoded
	// result, in bytes.
	ToolValueSize int64
}

// Filesystem names directories to show to programs.
type Filesystem struct {
	// Workspace is a directory of the executor's that all programs share.
	Workspace Mount
	// Sandbox is each program's scratch directory and working directory. If its Mount is
	// empty, DefaultSandboxMount.
	Sandbox Mount
	// Outputs is a fresh directory for each program, whose files come back as artifacts.
	Outputs Mount
}

// Callback is the section "executor.callback": whom an executor may dial with tool calls,
// where a client asks it to.
type Callback struct {
	// Listen and URL are as in ClientConfig.CallbackListen and CallbackURL, and nothing to
	// an executor.
	Listen, URL string
	// Addresses are those of applications' tool services, in the forms of
	// ClientConfig.ExecutorURL but embedded. If empty, callbacks are refused.
	Addresses []string
	// APIKey is sent to them. If unset, none is.
	APIKey Secret
}

// DefaultSandboxMount is where a program has its scratch directory.
const DefaultSandboxMount = "/sandbox"

// Mount is one directory to show to programs.
type Mount struct {
	// Mount is the absolute path inside the sandbox; if empty, there is no such directory.
	Mount string
	// Source is the executor's directory behind a workspace. If empty, Mount. The others
	// have none.
	Source string
	// Readonly takes writing away. The default of Filesystem.Workspace is true, that of a
	// literal false.
	Readonly bool
}

// Network says what programs may connect to.
type Network struct {
	// Mode is NetworkNone, NetworkRestricted or NetworkAll.
	Mode string
	// AllowedDomains and BlockedDomains are what NetworkRestricted allows and, though
	// allowed, refuses: entries as ParseDomain reads them. Empty if Mode is NetworkAll.
	AllowedDomains, BlockedDomains []string
	// AllowPrivate lets NetworkRestricted connect to private and loopback addresses.
	AllowPrivate bool
	// Connections bounds the connections of one execution that are open at once, in
	// mode NetworkRestricted.
	Connections int
	// Bytes bounds what one execution sends and receives together, in mode
	// NetworkRestricted.
	Bytes int64
}

// The network modes.
const (
	// NetworkNone: programs can make no socket.
	NetworkNone = "none"
	// NetworkRestricted: HTTP and HTTPS to listed hosts through the executor's proxy.
	NetworkRestricted = "restricted"
	// NetworkAll: the network of the executor, unfiltered.
	NetworkAll = "all"
)

// Execution says whether programs may start commands.
type Execution struct {
	// AllowDirectExecution lets programs start AllowedCommands.
	AllowDirectExecution bool
	// AllowedCommands are absolute paths, or names in the usual directories. An executor
	// does not start if one is not there. Empty unless AllowDirectExecution.
	AllowedCommands []string
}

// Sandbox is the isolation an executor must reach to start.
type Sandbox struct {
	// Require is RequireStrict, RequireLayers or RequireUnsafeNone.
	Require string
	// Layers is set if Require is RequireLayers: names out of [Layers], in its order.
	Layers []string
}

// What Sandbox.Require can be.
const (
	// RequireStrict: the files, the network, the system calls and the resources of a
	// program must all be confined. A plain host and a hardened container can both do it,
	// with different layers.
	RequireStrict = "strict"
	// RequireLayers: exactly the named layers must be in force; others may be.
	RequireLayers = "layers"
	// RequireUnsafeNone: run programs even with no isolation at all.
	RequireUnsafeNone = "unsafe-none"
)

// Layers lists the names of the sandbox layers, as executor.sandbox.require takes them
// and as an execution's result reports them.
func Layers() []string { return slices.Clone(layers) }

var layers = []string{
	"user", "pid", "mount", "network", "ipc", "uts", // namespaces
	"landlock", "seccomp", "no_new_privs", "rlimits", "cgroup",
}

// Pool sizes the workers of an executor.
type Pool struct {
	// MinReady is how many confined workers wait for a program, forked ahead of need.
	MinReady int
	// ForkServers is how many processes make workers.
	ForkServers int
	// MaxWorkers bounds the programs that run at once.
	MaxWorkers int
	// MaxPerClient bounds the programs of one client that run at once; further ones wait.
	// If zero, MaxWorkers. A client is whoever shows the same API key; without keys the
	// same certificate, or else comes from the same address.
	MaxPerClient int
	// Preload names Python modules that each fork server imports once, so that importing
	// them costs a program next to nothing. The executor does not start if one cannot be
	// imported, or leaves threads, descriptors or processes behind.
	Preload []string
	// Queue bounds the programs that wait for a worker; more are refused at once.
	Queue int
	// QueueTimeout bounds the wait for a worker.
	QueueTimeout time.Duration
}

// Sessions bounds the state that programs share, where callers ask for it.
type Sessions struct {
	// Max bounds the sessions that are open at once, each of which has a worker, out of
	// Pool.MaxWorkers, to itself. It must be less than that. Zero: there are none, and a run
	// that asks for one is refused.
	Max int
	// IdleTimeout is how long after its last run a session ends.
	IdleTimeout time.Duration
	// Lifetime is how long after its beginning a session ends, whatever runs were made
	// meanwhile.
	Lifetime time.Duration
}

// DefaultSidecar gives the configuration of an executor that reads neither a file nor the
// environment.
func DefaultSidecar() SidecarConfig { return Default().Sidecar() }

// Validate gives an error that lists each field that cannot be used. Call it before
// serving, after the last change to a field.
func (s SidecarConfig) Validate() error {
	whole := Default()
	e := &whole.Executor
	e.Server = Server{
		Host: s.Host, Port: s.Port, Socket: s.Socket, SocketMode: s.SocketMode, APIKeys: s.APIKeys, APIKeysFile: s.APIKeysFile,
		HTTPAddress: s.HTTPAddress, DrainTimeout: s.DrainTimeout, MaxConnectionAge: s.MaxConnectionAge,
	}
	whole.GRPC.TLS = s.TLS.section()
	e.Callback = s.Callback
	e.Limits, e.Filesystem, e.Network, e.Execution = s.Limits, s.Filesystem, s.Network, s.Execution
	e.Sandbox, e.Pool, e.Sessions, e.Python, e.CacheDir = s.Sandbox, s.Pool, s.Sessions, s.Python, s.CacheDir
	whole.Log = Log{Level: s.LogLevel, Format: s.LogFormat, Audit: s.Audit}

	var found problems
	if err := check(whole, readBySidecar); err != nil {
		for _, p := range Problems(err) {
			found.add(p)
		}
	}
	for _, p := range s.TLS.contradictions() {
		found.add(p)
	}
	if s.Socket == "" && !loopback(s.Host) && !s.admits() {
		found.add(&Problem{Key: "executor.server.host", Message: quote(s.Host) + " is not a loopback address " +
			"and there is no API key, so anyone who reaches the port could run programs: set CODEMODE_API_KEY, " +
			"or listen on 127.0.0.1 or on a unix socket"})
	}
	return found.err("the executor's configuration")
}

// admits says whether callers have to show something: a key or a certificate.
func (s SidecarConfig) admits() bool {
	return slices.ContainsFunc(s.APIKeys, Secret.IsSet) || s.APIKeysFile != "" || s.TLS.Enabled && s.TLS.ClientAuth == ClientAuthRequire
}

// Exposed says whether programs, results and API keys cross a network unencrypted: it
// listens on TCP without TLS, and not for this machine alone.
func (s SidecarConfig) Exposed() bool { return s.Socket == "" && !s.TLS.Enabled && !loopback(s.Host) }

// loopback says whether only this machine can connect to the host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
