package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A target is what attacks are told: they must fail although they know where to look.
type target struct {
	PID       int     `json:"pid"`
	Address   uintptr `json:"address"` // of a secret in this process's memory
	Length    int     `json:"length"`
	Directory string  `json:"directory"` // open to everyone
	File      string  `json:"file"`      // open to everyone
	Name      string  `json:"name"`      // for files to make
	TCP       int     `json:"tcp"`
	UDP       int     `json:"udp"`
	Unix      string  `json:"unix"`
	Abstract  string  `json:"abstract"`
	Process   string  `json:"process"` // a name for processes to take
}

// A lure is real things for attacks to reach, and a witness of what they reach.
type lure struct {
	target  target
	secret  []byte
	pinner  runtime.Pinner
	closers []func() error
	tasks   sync.WaitGroup
	arrived atomic.Int64
	looked  atomic.Bool
	visible atomic.Bool // looking shows the processes of a run
}

// keyVariable holds what the executor must not pass on.
const keyVariable = "CODEMODE_API_KEY"

// newLure prepares everything, a secret in this process's environment included.
func newLure() (*lure, error) {
	random := make([]byte, 16)
	rand.Read(random)
	l := &lure{secret: []byte("codemode-canary-" + hex.EncodeToString(random))}
	l.pinner.Pin(&l.secret[0])
	l.target = target{
		PID: os.Getpid(), Address: uintptr(unsafe.Pointer(&l.secret[0])), Length: len(l.secret),
		Name: "canary-" + hex.EncodeToString(random[:6]), Process: "canary-" + hex.EncodeToString(random[6:10]),
	}
	l.target.Abstract = "codemode-" + l.target.Name
	if err := errors.Join(os.Setenv(keyVariable, string(l.secret)), l.makeFiles(), l.makeSockets()); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lure) makeFiles() error {
	directory, err := os.MkdirTemp("", "codemode-doctor-")
	if err != nil {
		return err
	}
	l.closers = append(l.closers, func() error { return os.RemoveAll(directory) })
	l.target.Directory, l.target.File = directory, filepath.Join(directory, "secret")
	if err := os.WriteFile(l.target.File, []byte("canary"), 0o666); err != nil {
		return err
	}
	// Whatever the umask is: no right of a file must be what holds an attack.
	return errors.Join(os.Chmod(directory, 0o777), os.Chmod(l.target.File, 0o666))
}

func (l *lure) makeSockets() error {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.accept(tcp)
	l.target.TCP = tcp.Addr().(*net.TCPAddr).Port
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.receive(udp)
	l.target.UDP = udp.LocalAddr().(*net.UDPAddr).Port
	l.target.Unix = filepath.Join(l.target.Directory, "s")
	for _, address := range []string{l.target.Unix, "@" + l.target.Abstract} {
		listener, err := net.Listen("unix", address)
		if err != nil {
			return err
		}
		l.accept(listener)
	}
	return os.Chmod(l.target.Unix, 0o777)
}

func (l *lure) accept(listener net.Listener) {
	l.closers = append(l.closers, listener.Close)
	l.tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.arrived.Add(1)
			conn.Close()
		}
	})
}

func (l *lure) receive(conn net.PacketConn) {
	l.closers = append(l.closers, conn.Close)
	l.tasks.Go(func() {
		for {
			if _, _, err := conn.ReadFrom(make([]byte, 64)); err != nil {
				return
			}
			l.arrived.Add(1)
		}
	})
}

// taken counts what arrived.
func (l *lure) taken() int64 { return l.arrived.Load() }

// look is called in the middle of a run that has taken the name.
func (l *lure) look() {
	l.looked.Store(true)
	l.visible.Store(l.count() > 0)
}

// survivors says, once after look, what is left of the run.
func (l *lure) survivors() (looked bool, remains string) {
	if !l.looked.Swap(false) {
		return false, ""
	}
	if !l.visible.Load() {
		return true, "the run's own processes could not be seen in /proc, so whether it left any cannot be told"
	}
	for deadline := time.Now().Add(time.Second); l.count() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return true, "something of the run was alive a second after its end"
		}
	}
	return true, ""
}

// count finds the threads of the name, in all processes.
func (l *lure) count() int {
	names, err := fs.Glob(os.DirFS("/proc"), "[0-9]*/task/[0-9]*/comm")
	if err != nil {
		return 0
	}
	found := 0
	for _, name := range names {
		comm, err := os.ReadFile("/proc/" + name)
		if err == nil && strings.TrimSpace(string(comm)) == l.target.Process {
			found++
		}
	}
	return found
}

// close removes what newLure made.
func (l *lure) close() error {
	var errs []error
	for i := len(l.closers) - 1; i >= 0; i-- { // sockets before their directory
		errs = append(errs, l.closers[i]())
	}
	l.tasks.Wait()
	l.pinner.Unpin()
	return errors.Join(append(errs, os.Unsetenv(keyVariable))...)
}
