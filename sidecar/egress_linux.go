package sidecar

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/egress"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// newProxy makes the way out in network mode restricted; nil in the other modes.
func newProxy(cfg config.Network, log *slog.Logger) (*egress.Proxy, error) {
	switch cfg.Mode {
	case config.NetworkAll:
		log.Warn("programs can reach everything that this machine can, its own services included, and nothing of it is logged (executor.network.mode: all)")
		return nil, nil
	case config.NetworkRestricted:
		proxy, err := egress.New(egress.Options{
			Allowed: cfg.AllowedDomains, Blocked: cfg.BlockedDomains, AllowPrivate: cfg.AllowPrivate,
			Connections: cfg.Connections, Bytes: cfg.Bytes, Log: log,
		})
		if err != nil {
			return nil, fault.Wrap(fault.Config, err, "executor.network cannot be used")
		}
		return proxy, nil
	default:
		return nil, nil
	}
}

// An outlet answers the system calls socket and connect of one worker; see
// sandbox/network_linux.go. The worker is hostile: what it asks for costs it a wait, and
// what it passes decides nothing but which error it gets.
type outlet struct {
	run      *egress.Run
	listener *os.File // seccomp's, on which the calls arrive
	memory   int      // of the worker, to read addresses from
	process  uint32   // the worker's, as its trial has shown it
	calls    int
	done     chan struct{}
}

// openOutlet takes over what the worker hands over, before it is ready. What comes
// instead, such as a frame that says why it cannot, is left to be read.
func (w *worker) openOutlet() error {
	plan := w.server.plan
	if !plan.Egress || plan.Outputs != "" && w.outputs < 0 {
		return nil
	}
	memory, err := w.receiveDescriptor(frameNetwork)
	if memory < 0 {
		return err
	}
	listener, err := w.receiveDescriptor(frameNetwork)
	if listener < 0 {
		unix.Close(memory)
		return err
	}
	if err := unix.SetNonblock(listener, true); err != nil {
		unix.Close(memory)
		unix.Close(listener)
		return err
	}
	w.outlet = &outlet{
		run: w.proxy.NewRun(), listener: os.NewFile(uintptr(listener), "seccomp listener"),
		memory: memory, done: make(chan struct{}),
	}
	go w.outlet.serve()
	return nil
}

// receiveDescriptor gets a frame that carries a descriptor; -1 if another frame came.
func (w *worker) receiveDescriptor(kind byte) (int, error) {
	var header [frameHeader]byte
	rights := make([]byte, unix.CmsgSpace(4))
	conn, err := w.control.SyscallConn()
	if err != nil {
		return -1, err
	}
	var n, rn int
	var failure error
	err = conn.Read(func(fd uintptr) bool {
		n, rn, _, _, failure = unix.Recvmsg(int(fd), header[:], rights, unix.MSG_CMSG_CLOEXEC)
		return failure != unix.EAGAIN && failure != unix.EINTR
	})
	if err = errors.Join(err, failure); err != nil {
		return -1, fmt.Errorf("a worker handed over no descriptor: %w", err)
	}
	if n != len(header) || header[4] != kind {
		w.reader = bufio.NewReader(io.MultiReader(bytes.NewReader(header[:n]), w.control))
		return -1, nil
	}
	return pidfdOf(rights[:rn])
}

// begin names the execution that the worker is for.
func (o *outlet) begin(execution string) {
	if o != nil {
		o.run.Begin(execution)
	}
}

// verdicts counts what became of the worker's connections; nil without a proxy.
func (o *outlet) verdicts() map[string]int {
	if o == nil {
		return nil
	}
	return o.run.Verdicts()
}

// close waits until nothing is under way any more. The worker must have ended.
func (o *outlet) close() {
	if o == nil {
		return
	}
	o.listener.Close()
	<-o.done
	o.run.Close()
	unix.Close(o.memory)
}

// freeCalls is how many calls are answered as fast as can be; each further one waits.
const freeCalls = 4096

// serve answers calls until the worker has ended or close is called.
func (o *outlet) serve() {
	defer close(o.done)
	conn, err := o.listener.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) bool { // the only error is that it was closed
		for {
			state := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(state, 0)
			switch {
			case err == unix.EINTR:
				continue
			case err != nil || state[0].Revents&(unix.POLLERR|unix.POLLNVAL) != 0:
				return true
			case n == 0:
				return false // wait for more
			case state[0].Revents&unix.POLLIN == 0:
				return true // nobody is left who could call
			}
			o.answer(int(fd))
			if o.calls++; o.calls > freeCalls {
				time.Sleep(time.Millisecond)
			}
		}
	})
}

// notification is struct seccomp_notif with room for what later kernels may add.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	pointer    uint64
	args       [6]uint64
	_          [64]byte
}

// response is struct seccomp_notif_resp, likewise.
type response struct {
	id    uint64
	value int64
	err   int32
	flags uint32
	_     [64]byte
}

// addition is struct seccomp_notif_addfd.
type addition struct {
	id                            uint64
	flags, source, target, fdFlag uint32
}

func control(fd int, request uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

func (o *outlet) answer(listener int) {
	var call notification
	if control(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&call)) != nil {
		return // the caller was killed, or interrupted and will call again
	}
	if o.process == 0 {
		o.process = call.pid // its own trial, which comes before any program
	}
	errno := unix.EPERM
	switch call.number {
	case unix.SYS_SOCKET:
		if errno = o.socket(listener, &call); errno == 0 {
			return // answered
		}
	case unix.SYS_CONNECT:
		errno = o.connect(&call)
	}
	answer := response{id: call.id, err: -int32(errno)}
	// The caller may be gone, and then nobody waits for it.
	_ = control(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer))
}

// socket puts one end of a pair into the worker, in the place of its new socket.
func (o *outlet) socket(listener int, call *notification) unix.Errno {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unix.ENOBUFS
	}
	defer unix.Close(pair[1])
	ours := os.NewFile(uintptr(pair[0]), "egress")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return unix.ENOBUFS
	}
	if call.args[1]&unix.SOCK_NONBLOCK != 0 {
		if err := unix.SetNonblock(pair[1], true); err != nil {
			conn.Close()
			return unix.ENOBUFS
		}
	}
	if err := o.run.Accept(conn); err != nil { // which closes it
		return unix.EMFILE
	}
	add := addition{id: call.id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, source: uint32(pair[1])}
	if call.args[1]&unix.SOCK_CLOEXEC != 0 {
		add.fdFlag = unix.O_CLOEXEC
	}
	// If it fails, closing their end ends ours.
	err = control(listener, unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&add))
	switch {
	case err == nil, errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINPROGRESS): // answered, or nobody waits for it any more
		return 0
	case errors.Is(err, unix.EMFILE):
		return unix.EMFILE
	default:
		return unix.ENOBUFS
	}
}

// connect pretends: what socket has given leads to the proxy already. A program that
// names another address is told that it cannot have it.
func (o *outlet) connect(call *notification) unix.Errno {
	var address [28]byte // struct sockaddr_in6, the largest of interest
	n, err := o.read(call.pid, address[:min(uint64(len(address)), call.args[2])], int64(call.args[1]))
	if err != nil || n < 8 {
		return unix.EFAULT
	}
	target := "an address of another family"
	if binary.NativeEndian.Uint16(address[:2]) == unix.AF_INET {
		asked := netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[4:8])), binary.BigEndian.Uint16(address[2:4]))
		if asked == sandbox.ProxyAddress {
			return 0
		}
		target = asked.String()
	}
	if o.run.Started() {
		o.run.Refused(target)
	}
	return unix.EACCES
}

// read reads the caller's memory: the worker's, or that of a command that it started.
func (o *outlet) read(thread uint32, to []byte, at int64) (int, error) {
	if thread == o.process {
		return unix.Pread(o.memory, to, at)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", o.process, thread)); err == nil {
		return unix.Pread(o.memory, to, at)
	}
	other, err := unix.Open("/proc/"+strconv.FormatUint(uint64(thread), 10)+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		// Not ours to look at: any address is as good as another.
		proxy := sandbox.ProxyAddress.Addr().As4()
		binary.NativeEndian.PutUint16(to, unix.AF_INET)
		binary.BigEndian.PutUint16(to[2:], sandbox.ProxyAddress.Port())
		return copy(to[4:], proxy[:]) + 4, nil
	}
	defer unix.Close(other)
	return unix.Pread(other, to, at)
}
