package sandbox

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// commandDirectories are where commands are looked for by name, and the PATH of programs
// that may start some.
var commandDirectories = []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"}

// A command is a file that programs may start.
type command struct {
	// asked is how the configuration spells it, path the file that this leads to.
	asked, path string
	// aliases are other paths that lead to the file, and loader the dynamic loader that
	// the kernel starts it with, if any.
	aliases []string
	loader  string
}

// keeperPlan is what stands between the fork server and a worker that may start commands.
type keeperPlan struct {
	// Namespace: each run gets a pid namespace, whose end is the end of all in it.
	Namespace bool `json:"namespace"`
	// Size and Scoped are those of a Landlock ruleset: where there is no such namespace,
	// it tells the processes of a run from all others.
	Size   int    `json:"size"`
	Scoped uint64 `json:"scoped"`
}

// Resolve finds the commands and checks the directories. The error has code fault.Config.
func (o *Options) Resolve() error {
	if err := o.checkFiles(); err != nil {
		return err
	}
	o.commands = nil
	for _, asked := range o.Commands {
		c, err := findCommand(asked)
		if err != nil {
			return fault.Wrap(fault.Config, err, "execution.allowed_commands: %s cannot be started", asked).
				WithRemedy("install it, name it by its path, or take it off the list")
		}
		if w := o.Files.Workspace; w.Path != "" && !w.Readonly && within(c.path, real(w.Source)) {
			return fault.New(fault.Config, "execution.allowed_commands: %s lies in the writable workspace, so programs could replace it", asked).
				WithRemedy("set filesystem.workspace.readonly, or keep the command elsewhere")
		}
		o.commands = append(o.commands, c)
	}
	for _, c := range o.commands {
		if err := o.checkScript(c); err != nil {
			return err
		}
	}
	return nil
}

func findCommand(asked string) (command, error) {
	candidates := []string{asked}
	if !filepath.IsAbs(asked) {
		candidates = nil
		for _, directory := range commandDirectories {
			candidates = append(candidates, filepath.Join(directory, asked))
		}
	}
	for _, candidate := range candidates {
		info, err := os.Stat(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return command{}, err
		}
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			return command{}, fmt.Errorf("%s is not an executable file", candidate)
		}
		c := command{asked: candidate, path: real(candidate)}
		names := []string{candidate}
		for _, directory := range commandDirectories {
			names = append(names, filepath.Join(directory, filepath.Base(candidate)))
		}
		for _, name := range names {
			if other, err := os.Stat(name); err == nil && os.SameFile(info, other) && name != c.path && !slices.Contains(c.aliases, name) {
				c.aliases = append(c.aliases, name)
			}
		}
		if c.loader, err = loaderOf(c.path); err != nil {
			return command{}, err
		}
		return c, nil
	}
	return command{}, fmt.Errorf("there is no such file in %s", strings.Join(commandDirectories, ", "))
}

// loaderOf gives the dynamic loader that an ELF file names, or nothing for other files.
func loaderOf(path string) (string, error) {
	file, err := elf.Open(path)
	if err != nil {
		if _, foreign := errors.AsType[*elf.FormatError](err); foreign {
			return "", nil
		}
		return "", err
	}
	defer file.Close()
	for _, program := range file.Progs {
		if program.Type != elf.PT_INTERP || program.Filesz > 4096 {
			continue
		}
		name := make([]byte, program.Filesz)
		if _, err := program.ReadAt(name, 0); err != nil {
			return "", err
		}
		return strings.TrimRight(string(name), "\x00"), nil
	}
	return "", nil
}

// checkScript holds a script to an interpreter that may be started as well.
func (o *Options) checkScript(c command) error {
	file, err := os.Open(c.path)
	if err != nil {
		return fault.Wrap(fault.Config, err, "execution.allowed_commands: %s cannot be read", c.asked)
	}
	defer file.Close()
	head := make([]byte, 256)
	n, _ := file.Read(head) // an empty file is no script
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	rest, script := strings.CutPrefix(line, "#!")
	fields := strings.Fields(rest)
	if !script || len(fields) == 0 {
		return nil
	}
	if slices.ContainsFunc(o.commands, func(other command) bool { return other.path == real(fields[0]) }) {
		return nil
	}
	return fault.New(fault.Config, "execution.allowed_commands: %s is a script for %s, which is not on the list", c.asked, fields[0]).
		WithRemedy("add %s, or take the script off the list", fields[0])
}

// useCommands plans for a worker that may start commands; the filters follow from it.
func (p *Plan) useCommands(o Options) {
	if len(o.commands) == 0 {
		return
	}
	landlock := p.message.Worker.Landlock
	if landlock == nil {
		p.refuse(fault.New(fault.Sandbox, "execution.allow_direct_execution cannot be enforced here: only Landlock can say which files may be started").
			WithRemedy("use a kernel with Landlock, or offer the commands as tools"))
		return
	}
	own := p.message.Root != nil
	if !own && landlock.Scoped&unix.LANDLOCK_SCOPE_SIGNAL == 0 {
		p.refuse(fault.New(fault.Sandbox, "execution.allow_direct_execution cannot be enforced here: neither a pid namespace "+
			"nor Landlock can keep track of what a program starts").
			WithRemedy("use Linux 6.12 or newer, or offer the commands as tools"))
		return
	}
	if err := childrenAreListed(); err != nil {
		p.refuse(fault.Wrap(fault.Sandbox, err, "execution.allow_direct_execution cannot be enforced here: processes cannot be counted").
			WithRemedy("use a kernel with CONFIG_PROC_CHILDREN, or offer the commands as tools"))
		return
	}
	p.Commands = true
	p.message.Keeper = &keeperPlan{Namespace: own, Size: landlock.Size, Scoped: landlock.Scoped}
	p.message.Environment["PATH"] = strings.Join(commandDirectories, ":")
	var names []string
	for _, c := range o.commands {
		names = append(names, c.asked)
		for _, file := range []string{c.path, c.loader} {
			if file == "" {
				continue
			}
			landlock.allow(file, unix.LANDLOCK_ACCESS_FS_EXECUTE|readFile)
			if own {
				p.message.Root.Paths = withoutNested(append(p.message.Root.Paths, file))
			}
		}
		for _, alias := range c.aliases {
			if own {
				p.message.Root.Links[alias] = c.path
			}
		}
	}
	p.amend(Landlock, []string{"starting " + strings.Join(names, ", ")})
}

func childrenAreListed() error {
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d/children", os.Getpid(), os.Getpid()))
	return err
}

// starting are the calls by which processes come to be, and are told apart.
var starting = []uint32{unix.SYS_EXECVE, unix.SYS_SETSID, unix.SYS_SETPGID}

// startCommands lets a worker do to its own processes what workerFilter lets it do to
// itself. Which files it may execute is Landlock's to say, and whom it may signal
// Landlock's or the pid namespace's.
func startCommands(policy map[uint32]decision) {
	policy[unix.SYS_CLONE] = allowIf(ePERM, argMasked(0, newNamespaces, 0))
	policy[unix.SYS_KILL] = allow()
	policy[unix.SYS_TGKILL] = allow()
	// Its commands look at themselves and at each other; and unlike a single process they
	// would do harm if they took a lock for theirs that they do not have.
	for _, number := range []uint32{
		unix.SYS_GETPGID, unix.SYS_GETSID, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER, unix.SYS_GETPRIORITY,
	} {
		policy[number] = allow()
	}
	policy[unix.SYS_FCNTL] = lockAnswer(eNOLCK)
}

// plainModes refuses the modes that let a file run with its owner's rights, for those
// who can write where others would run it.
func plainModes(policy map[uint32]decision) {
	const privileged = unix.S_ISUID | unix.S_ISGID
	policy[unix.SYS_FCHMOD] = allowIf(ePERM, argMasked(1, privileged, 0))
	policy[unix.SYS_FCHMODAT] = allowIf(ePERM, argMasked(2, privileged, 0))
	for _, number := range chmodHere {
		policy[number] = allowIf(ePERM, argMasked(1, privileged, 0))
	}
}

const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
