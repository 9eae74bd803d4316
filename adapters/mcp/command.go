package mcp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// inherited are the variables that a server started by a Source gets from this process:
// what programs need to find themselves, and nothing that holds a secret.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR",
	// What Windows programs do not start without.
	"APPDATA", "LOCALAPPDATA", "USERPROFILE", "PROGRAMFILES", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "PATHEXT", "COMSPEC",
}

const (
	// patience is how long a server may take to end after its input has, and again after
	// SIGTERM.
	patience = 2 * time.Second
	// stderrTail is how much of a server's last words an error shows, in bytes.
	stderrTail = 2 << 10
)

// A process is a server that runs as a child, and the way to it.
type process struct {
	cmd     *exec.Cmd
	said    *lastWords
	maximum int // bytes of one message
}

// command prepares a process; nothing runs yet.
func (s *Source) command(maximum int) *process {
	cmd := exec.CommandContext(context.Background(), s.Command, s.Args...)
	cmd.Dir = s.Dir
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		cmd.Env = append(cmd.Env, name+"="+s.Env[name])
	}
	said := &lastWords{log: s.log}
	cmd.Stderr = said
	// A grandchild may keep standard error open for longer than the server lives.
	cmd.WaitDelay = patience
	ownGroup(cmd)
	return &process{cmd, said, maximum}
}

// Connect starts the server.
func (p *process) Connect(ctx context.Context) (sdk.Connection, error) {
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	// The SDK's own transport for commands has no limit on messages, and leaves behind
	// what the server has started.
	pipes := &sdk.IOTransport{
		Reader: &messageLines{ReadCloser: out, maximum: p.maximum},
		Writer: &processInput{WriteCloser: in, cmd: p.cmd}, MaxLineLength: -1,
	}
	return pipes.Connect(ctx)
}

// A messageLines is a server's standard output, with a bound on each line that has an
// error which can be told from others.
type messageLines struct {
	io.ReadCloser
	maximum, line int
}

func (l *messageLines) Read(p []byte) (int, error) {
	if l.line > l.maximum {
		return 0, errMessageTooLarge
	}
	n, err := l.ReadCloser.Read(p)
	if first := bytes.IndexByte(p[:n], '\n'); first >= 0 {
		if l.line+first > l.maximum {
			return 0, errMessageTooLarge
		}
		l.line = n - bytes.LastIndexByte(p[:n], '\n') - 1
	} else {
		l.line += n
	}
	return n, err
}

// Close leaves it to the end of the process.
func (l *messageLines) Close() error { return nil }

// A processInput is a server's standard input. With it ends the server.
type processInput struct {
	io.WriteCloser
	cmd  *exec.Cmd
	once sync.Once
}

// Close asks the server to end, as the protocol says: by the end of its input, then by
// SIGTERM, then by SIGKILL, which also goes to everything it started. A launcher such as
// npx does not take its child with it.
func (p *processInput) Close() error {
	p.once.Do(func() {
		_ = p.WriteCloser.Close() // closed already if the server is gone
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = p.cmd.Wait() // the exit status of a server that was told to end says nothing
		}()
		for _, insist := range []func(*exec.Cmd){terminate, killGroup} {
			select {
			case <-ended:
			case <-time.After(patience):
				insist(p.cmd)
			}
		}
		<-ended
		killGroup(p.cmd)
	})
	return nil
}

// lastWords passes what a server says on standard error to a log, line by line, and
// keeps the end of it.
type lastWords struct {
	log  *slog.Logger
	mu   sync.Mutex
	tail []byte
	line []byte
}

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = append(w.tail, p...)
	if extra := len(w.tail) - stderrTail; extra > 0 {
		w.tail = append(w.tail[:0], w.tail[extra:]...)
	}
	w.line = append(w.line, p...)
	for {
		line, rest, found := bytes.Cut(w.line, []byte("\n"))
		if !found && len(w.line) < stderrTail {
			return len(p), nil
		}
		if !found {
			line, rest = w.line, nil
		}
		if text := strings.ToValidUTF8(strings.TrimSpace(string(line)), "\uFFFD"); text != "" {
			w.log.Debug("the server said", "stderr", text)
		}
		w.line = append(w.line[:0], rest...)
	}
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ToValidUTF8(strings.TrimSpace(string(w.tail)), "\uFFFD")
}
