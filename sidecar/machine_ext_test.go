//go:build linux

package sidecar_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// kernelVariable names a Linux kernel image to start a virtual machine with; it takes
	// what Debian's cloud kernel has built in.
	kernelVariable = "CODEMODE_TEST_KERNEL"
	emulator       = "qemu-system-x86_64"
	// machineTests are what runs there: what depends on controllers of cgroup v2, which
	// few machines that build software hand on. An emulated processor takes its time.
	machineTests = "^TestCgroup"
	machineDone  = "machine: the tests ended with "
	// machineSilence is after how long without a word a machine is taken to stand still. All
	// of its tests take one minute on an idle emulator.
	machineSilence = 5 * time.Minute
)

var errStandsStill = errors.New("the virtual machine says nothing any more")

// With memory, pids and cpu controllers of cgroup version 2, on a delegated part of the
// hierarchy as systemd hands it to a unit, the cgroup layer holds what it says.
func TestAllHoldsInAVirtualMachine(t *testing.T) {
	skipAtHome(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the kernel that is installed for it is amd64's")
	}
	kernel := os.Getenv(kernelVariable)
	if kernel == "" {
		t.Fatal("there is no kernel for a virtual machine (make vm-kernel makes one; " + kernelVariable + " names another)")
	}
	if _, err := exec.LookPath(emulator); err != nil {
		t.Fatal(err)
	}
	got := shared(t).run(t, "import sys; sys.base_prefix")
	python, ok := got.Value.(string)
	if !ok {
		t.Fatalf("where the interpreter is: %+v", got)
	}
	image := filepath.Join(t.TempDir(), "initramfs")
	if err := writeMachine(image, binary(t), python); err != nil {
		t.Fatal(err)
	}
	out, err := emulate(t, kernel, image, python)
	if errors.Is(err, errStandsStill) {
		t.Logf("%v; it gets a second try\n%s", err, out)
		out, err = emulate(t, kernel, image, python)
	}
	if testing.Verbose() || err != nil || !strings.Contains(string(out), machineDone+"status 0") {
		t.Logf("%s", out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), machineDone+"status 0") {
		t.Error("not all holds there")
	}
}

// emulate starts a machine and gives what it printed until it ended. It may take the time
// that it needs, as long as it says something now and then.
func emulate(t *testing.T, kernel, image, python string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if deadline, bounded := t.Deadline(); bounded { // so that what it said is shown
		overall := time.AfterFunc(time.Until(deadline)-time.Minute, func() { cancel(context.DeadlineExceeded) })
		defer overall.Stop()
	}
	said := &heard{silence: time.AfterFunc(machineSilence, func() { cancel(errStandsStill) })}
	defer said.silence.Stop()
	cmd := exec.CommandContext(ctx, emulator, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-cpu", "max", "-smp", "2", "-m", "3072", "-kernel", kernel, "-initrd", image,
		"-append", "console=ttyS0 quiet panic=-1 "+pythonVariable+"="+filepath.Join(python, "bin", "python3"))
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdout, cmd.Stderr = said, said
	err := cmd.Run()
	return said.Bytes(), cmp.Or(context.Cause(ctx), err)
}

// heard keeps what is written, which begins a silence anew.
type heard struct {
	bytes.Buffer
	silence *time.Timer
}

func (h *heard) Write(p []byte) (int, error) {
	h.silence.Reset(machineSilence)
	return h.Buffer.Write(p)
}

// becomeInit makes a usable system of a machine that has nothing but this file system,
// runs the tests in it, and switches it off.
func becomeInit() {
	status, err := runMachine()
	if err != nil {
		fmt.Println("machine:", err)
	}
	fmt.Println(machineDone + "status " + fmt.Sprint(status))
	unix.Sync()
	_ = unix.IoctlSetInt(1, unix.TCSBRK, 1) // until the serial line has sent it all
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {}
}

func runMachine() (status int, err error) {
	// The kernel does not let go of the very first mount, which a sandbox has to: put the
	// same file system over it.
	err = errors.Join(unix.Mount("/", "/mnt", "", unix.MS_BIND, ""), unix.Chdir("/mnt"),
		unix.Mount("/mnt", "/", "", unix.MS_MOVE, ""), unix.Chroot("."))
	if err != nil {
		return 1, fmt.Errorf("a root that can be left: %w", err)
	}
	for _, m := range [][3]string{
		{"proc", "/proc", "proc"}, {"sysfs", "/sys", "sysfs"}, {"devtmpfs", "/dev", "devtmpfs"},
		{"tmpfs", "/tmp", "tmpfs"}, {"cgroup2", "/sys/fs/cgroup", "cgroup2"},
	} {
		if err := unix.Mount(m[0], m[1], m[2], 0, ""); err != nil {
			return 1, fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	// A unit with Delegate=yes, as systemd makes one.
	const unit = "/sys/fs/cgroup/system.slice/codemode.service"
	if err := os.MkdirAll(unit, 0o755); err != nil {
		return 1, err
	}
	for _, path := range []string{"/sys/fs/cgroup", filepath.Dir(unit)} {
		if err := os.WriteFile(filepath.Join(path, "cgroup.subtree_control"), []byte("+memory +pids +cpu"), 0); err != nil {
			return 1, err
		}
	}
	if err := unix.Setxattr(unit, "trusted.delegate", []byte("1"), 0); err != nil {
		return 1, fmt.Errorf("the mark of a delegated cgroup: %w", err)
	}
	cmd := exec.Command("/init", "-test.run", machineTests, "-test.v", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), "PATH=/usr/bin:/bin", "HOME=/tmp", homeVariable+"=vm", "CODEMODE_TEST_PATIENCE=1h")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	group, err := unix.Open(unit, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 1, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: group}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return cmd.ProcessState.ExitCode(), err
}

// writeMachine writes a file system with this test, a Python and a shell: an initramfs,
// in the format that cpio calls newc.
func writeMachine(path, test, python string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	a := &archive{w: bufio.NewWriterSize(f, 1<<20), seen: map[string]bool{}}
	for _, directory := range []string{"/proc", "/sys", "/dev", "/tmp", "/mnt"} {
		a.directory(directory)
	}
	a.file("/init", test)
	a.tree(python)
	for _, command := range []string{"/bin/sh", "/bin/sleep"} {
		a.file(command, command)
		a.libraries(command)
	}
	a.libraries(filepath.Join(python, "bin", "python3"))
	a.add("TRAILER!!!", 0, nil, 0)
	return errors.Join(a.err, a.w.Flush(), f.Close())
}

// archive writes a cpio archive. The first error stays.
type archive struct {
	w    *bufio.Writer
	seen map[string]bool
	at   int64
	err  error
}

func (a *archive) add(name string, mode uint32, content io.Reader, size int64) {
	if a.err != nil {
		return
	}
	pad := func() {
		for ; a.at%4 != 0 && a.err == nil; a.at++ {
			a.err = a.w.WriteByte(0)
		}
	}
	links := 1
	if mode&unix.S_IFMT == unix.S_IFDIR {
		links = 2
	}
	n, err := fmt.Fprintf(a.w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		len(a.seen)+1, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name)+1, 0, name)
	a.at += int64(n)
	a.err = err
	pad()
	if content != nil && a.err == nil {
		var copied int64
		copied, a.err = io.CopyN(a.w, content, size)
		a.at += copied
	}
	pad()
}

// directory adds a directory, and those above it.
func (a *archive) directory(path string) {
	if path == "/" || a.seen[path] {
		return
	}
	a.directory(filepath.Dir(path))
	a.seen[path] = true
	a.add(strings.TrimPrefix(path, "/"), unix.S_IFDIR|0o755, nil, 0)
}

// file adds a file under a name, with what it links to in the place of a link.
func (a *archive) file(name, source string) {
	if a.seen[name] || a.err != nil {
		return
	}
	a.directory(filepath.Dir(name))
	a.seen[name] = true
	f, err := os.Open(source)
	if err != nil {
		a.err = err
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = err
		return
	}
	a.add(strings.TrimPrefix(name, "/"), unix.S_IFREG|0o755, f, info.Size())
}

// tree adds all that is below a directory and that a program could import.
func (a *archive) tree(root string) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			a.directory(path)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			a.seen[path] = true
			a.add(strings.TrimPrefix(path, "/"), unix.S_IFLNK|0o777, strings.NewReader(target), int64(len(target)))
		default:
			a.file(path, path)
		}
		return a.err
	})
	if a.err == nil {
		a.err = err
	}
}

// libraries adds what a program is linked against, and what loads it.
func (a *archive) libraries(program string) {
	if a.err != nil {
		return
	}
	f, err := elf.Open(program)
	if err != nil {
		a.err = err
		return
	}
	defer f.Close()
	for _, part := range f.Progs {
		if part.Type == elf.PT_INTERP {
			loader, err := io.ReadAll(part.Open())
			if err != nil {
				a.err = err
				return
			}
			name := strings.TrimRight(string(loader), "\x00")
			a.file(name, name)
		}
	}
	names, err := f.ImportedLibraries()
	if err != nil {
		a.err = err
		return
	}
	for _, name := range names {
		for _, directory := range []string{"/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib"} {
			if path := filepath.Join(directory, name); !a.seen[path] && readable(path) {
				a.file(path, path)
				a.libraries(path)
				break
			}
		}
	}
}

func readable(path string) bool { return unix.Access(path, unix.R_OK) == nil }
