package sidecar

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// Bounds on what is looked at in an outputs directory, whatever the limits are.
const (
	artifactChunk   = 256 << 10 // bytes of a file in one message
	artifactDepth   = 32        // directories in one another
	artifactEntries = 20_000    // files and directories looked at
	artifactOmitted = 100       // left-out files that are named; the others are counted
)

// openOutputs gets hold of the directory in which the worker's program leaves files. It
// comes before any of the program's code can have run.
func (w *worker) openOutputs() error {
	if w.own.outputs != "" {
		fd, err := unix.Open(w.own.outputs, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		w.outputs = fd
		return err
	}
	if w.server.plan.Outputs == "" {
		return nil
	}
	var header [frameHeader]byte
	rights := make([]byte, unix.CmsgSpace(4))
	conn, err := w.control.SyscallConn()
	if err != nil {
		return err
	}
	var n, rn int
	var failure error
	err = conn.Read(func(fd uintptr) bool {
		n, rn, _, _, failure = unix.Recvmsg(int(fd), header[:], rights, unix.MSG_CMSG_CLOEXEC)
		return failure != unix.EAGAIN && failure != unix.EINTR
	})
	if err = errors.Join(err, failure); err != nil {
		return fmt.Errorf("a worker handed over no outputs directory: %w", err)
	}
	if n != len(header) || header[4] != frameOutputs {
		// It has something else to say, such as why it cannot go on.
		w.reader = bufio.NewReader(io.MultiReader(bytes.NewReader(header[:n]), w.control))
		return nil
	}
	fd, err := pidfdOf(rights[:rn])
	if err != nil {
		return fmt.Errorf("a worker handed over no outputs directory: %w", err)
	}
	w.outputs = fd
	return nil
}

// sendArtifacts sends the files that the program has left, and says what is left out. The
// program and all that it started are gone, or in a session stand still, so nothing changes
// while it is looked at; still no link is followed, and nothing but regular files is opened.
func (e *execution) sendArtifacts() error {
	if e.worker.outputs < 0 {
		return nil
	}
	if !e.hasLeft() {
		e.worker.kill()
		<-e.worker.ended
	}
	c := &collector{
		files: e.limits.ArtifactFiles, bytes: e.limits.ArtifactsSize, entries: artifactEntries,
		send: func(a *codemodev1.Artifact) error {
			return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Artifact{Artifact: a}})
		},
	}
	c.fileLimit, c.byteLimit = c.files, c.bytes
	if err := c.directory(e.worker.outputs, ".", "", 0); err != nil {
		return err
	}
	if c.unnamed == 0 && !c.more {
		return nil
	}
	rest := fmt.Sprintf("%d more files were left out", c.unnamed)
	if c.more {
		rest = fmt.Sprintf("at least %d more files were left out: of more than %d, the rest were not looked at", c.unnamed+1, artifactEntries)
	}
	return c.send(&codemodev1.Artifact{Omitted: rest})
}

// outputsAreFull says whether the run has left more than it may where no mount bounds it.
func (e *execution) outputsAreFull() bool {
	if e.worker.own.outputs == "" {
		return false
	}
	size, files := scratchUse(e.worker.own.outputs, e.limits.ScratchFiles)
	room := e.limits.ArtifactsSize + int64(e.limits.ArtifactFiles)*int64(os.Getpagesize())
	return size > room || files > e.limits.ScratchFiles
}

// A collector goes through an outputs directory.
type collector struct {
	files, entries int   // that may still come
	bytes          int64 // likewise
	fileLimit      int
	byteLimit      int64
	named, unnamed int  // left out
	more           bool // there were more than could be looked at
	send           func(*codemodev1.Artifact) error
}

// omit says that a file is left out, and why.
func (c *collector) omit(name string, size int64, format string, args ...any) error {
	if c.named == artifactOmitted {
		c.unnamed++
		return nil
	}
	c.named++
	return c.send(&codemodev1.Artifact{Name: printable(name), Size: size, Omitted: fmt.Sprintf(format, args...)})
}

// directory goes through one directory, in the order of its names. An error means that
// the client is gone.
func (c *collector) directory(parent int, entry, name string, depth int) error {
	if depth > artifactDepth {
		return c.omit(name, 0, "it is more than %d directories deep", artifactDepth)
	}
	fd, err := openBeneath(parent, entry, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return c.omit(name, 0, "it cannot be read: %v", err)
	}
	defer unix.Close(fd)
	var names []string
	for {
		some, err := readNames(fd)
		if err != nil {
			return c.omit(name, 0, "it cannot be read: %v", err)
		}
		if len(some) == 0 {
			break
		}
		if c.entries -= len(some); c.entries < 0 {
			c.more = true
			break
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	for _, entry := range names {
		path := entry
		if name != "" {
			path = name + "/" + entry
		}
		if err := c.entry(fd, entry, path, depth); err != nil {
			return err
		}
	}
	return nil
}

// entry looks at one entry without opening it, and then opens exactly what it looked at.
func (c *collector) entry(parent int, entry, name string, depth int) error {
	handle, err := openBeneath(parent, entry, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return c.omit(name, 0, "it cannot be opened: %v", err)
	}
	defer unix.Close(handle)
	var stat unix.Stat_t
	if err := unix.Fstat(handle, &stat); err != nil {
		return c.omit(name, 0, "it cannot be looked at: %v", err)
	}
	switch kind := stat.Mode & unix.S_IFMT; {
	case kind == unix.S_IFDIR:
		return c.directory(parent, entry, name, depth+1)
	case kind == unix.S_IFLNK:
		return c.omit(name, 0, "it is a symbolic link")
	case kind != unix.S_IFREG:
		return c.omit(name, 0, "it is not a regular file")
	case stat.Nlink != 1:
		return c.omit(name, stat.Size, "it has %d names", stat.Nlink)
	case !utf8.ValidString(name):
		return c.omit(name, stat.Size, "its name is not UTF-8")
	case c.files == 0:
		return c.omit(name, stat.Size, "there are more than %d files (limits.artifact_files)", c.fileLimit)
	case stat.Size > c.bytes:
		return c.omit(name, stat.Size, "the files take more than %d bytes (limits.artifacts_size)", c.byteLimit)
	}
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(handle), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return c.omit(name, stat.Size, "it cannot be opened: %v", err)
	}
	c.files--
	c.bytes -= stat.Size
	return c.file(os.NewFile(uintptr(fd), "artifact"), name, stat.Size)
}

// file sends a file, as long as it was when it was looked at.
func (c *collector) file(file *os.File, name string, size int64) error {
	defer file.Close()
	if size == 0 {
		return c.send(&codemodev1.Artifact{Name: name})
	}
	for left := size; left > 0; {
		// A message that was handed to gRPC is no longer ours to write to.
		chunk := make([]byte, min(left, artifactChunk))
		if _, err := io.ReadFull(file, chunk); err != nil {
			return c.omit(name, size, "it cannot be read: %v", err)
		}
		left -= int64(len(chunk))
		if err := c.send(&codemodev1.Artifact{Name: name, Size: size, Data: chunk}); err != nil {
			return err
		}
	}
	return nil
}

// openBeneath opens an entry of a directory: not a link, nothing in another mount.
func openBeneath(parent int, entry string, flags uint64) (int, error) {
	how := unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	}
	if flags&unix.O_NOFOLLOW == 0 {
		how.Resolve |= unix.RESOLVE_NO_SYMLINKS
	}
	return unix.Openat2(parent, entry, &how)
}

// printable writes a name that is not UTF-8 with escapes, and a long one short.
func printable(name string) string {
	const most = 4096
	if !utf8.ValidString(name) {
		quoted := strconv.Quote(name)
		name = quoted[1 : len(quoted)-1]
	}
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	return name
}
