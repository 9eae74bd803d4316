package sandbox

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/cgroup"
)

// Limits are what the kernel holds a worker to.
type Limits struct {
	// MemoryBytes a program may use on top of what the interpreter starts with.
	MemoryBytes int64
	// CPUSeconds of processor time, over all threads.
	CPUSeconds int64
	// Threads of one worker; all workers of a user share the sum where no user
	// namespace of their own separates them.
	Threads int64
	// OpenFiles bounds descriptors.
	OpenFiles int64
	// Processors that all threads may keep busy together; 0 for all there are.
	Processors int64
	// FileBytes bounds one file.
	FileBytes int64
	// ScratchBytes and ScratchFiles bound a worker's own directory.
	ScratchBytes, ScratchFiles int64
}

// Options are what a plan is made for.
type Options struct {
	// ReadPaths are the files and directories that the interpreter needs to read.
	ReadPaths []string
	// Warm names the modules that the fork server imports before it forks.
	Warm []string
	// Preload names the modules that it imports as well, of which it takes none that leaves
	// threads, descriptors or processes behind.
	Preload []string
	Limits  Limits
	// Workers is how many may live at once.
	Workers int
	// Sessions is true if a worker may run several programs, the processor time of each of
	// which the executor bounds. The kernel bounds that of the others.
	Sessions bool
	// Files are the directories shown to programs.
	Files Files
	// Commands are names or paths of what programs may start; see Resolve.
	Commands []string
	// Network is one of the network modes; if empty, NetworkNone.
	Network string

	commands []command
	// Cgroups is where workers get cgroups, or nil; then NoCgroups says why.
	Cgroups   *cgroup.Tree
	NoCgroups error

	// Bare asks for a plan without any layer, to measure what the layers cost.
	Bare bool
}

// UnprivilegedID is the user and group that programs run as where the executor was
// started by root: "nobody", by long custom.
const UnprivilegedID = 65534

// Address space costs nothing until it is used, and threads, numpy and the allocator
// reserve plenty; RLIMIT_DATA counts what can be written to.
const addressSpaceSlack = 1 << 30

// reportSlack is what a worker may use beyond its limit to report that it is out of memory.
const reportSlack = 32 << 20

// A Plan says how a fork server and its workers confine themselves.
type Plan struct {
	// Attr starts the fork server.
	Attr *syscall.SysProcAttr
	// Layers is what is in force if the plan is carried out, which it is wholly or not at all.
	Layers []Layer
	// Scratch is every worker's directory, or empty if each must be given one of its own
	// by the executor.
	Scratch string
	// Outputs is every worker's directory for what it leaves, each a mount of its own
	// that the worker hands over before it is ready; empty if there are none.
	Outputs string
	// ScratchBase and OutputsBase are where the executor makes each worker's directories;
	// empty for a place of its choice, and for no outputs.
	ScratchBase, OutputsBase string
	// Commands is true if workers may start processes.
	Commands bool
	// Egress is true if workers hand their system calls for sockets over to the executor.
	Egress bool

	// Cgroups is where each worker gets a cgroup, held to Group; nil if it gets none.
	// GroupSlack is what a group may use beyond the program's memory, in bytes: its files,
	// and what the kernel keeps for it.
	Cgroups    *cgroup.Tree
	Group      cgroup.Limits
	GroupSlack int64

	refusal *fault.Error
	message planMessage
}

type planMessage struct {
	Syscalls     map[string]int    `json:"syscalls"`
	Warm         []string          `json:"warm"`
	Preload      []string          `json:"preload"`
	Root         *rootPlan         `json:"root"`
	Hostname     bool              `json:"hostname"`
	User         *int              `json:"user"`
	SetGroups    bool              `json:"set_groups"`
	Capabilities *uint64           `json:"capabilities"`
	Environment  map[string]string `json:"environment"`
	Filter       *string           `json:"filter"`
	Keeper       *keeperPlan       `json:"keeper"`
	Worker       workerPlan        `json:"worker"`
}

type rootPlan struct {
	Paths   []string          `json:"paths"`
	Devices []string          `json:"devices"`
	Links   map[string]string `json:"links"`
	Scratch string            `json:"scratch"`
	// Of the directories that programs are shown; nil and empty if there are none.
	Workspace *workspacePlan `json:"workspace"`
	Outputs   string         `json:"outputs"`
}

type workerPlan struct {
	Scratch        string              `json:"scratch"`
	ScratchOptions string              `json:"scratch_options"`
	Capabilities   bool                `json:"capabilities"`
	Sessions       bool                `json:"sessions"` // some may run several programs
	Orphans        bool                `json:"orphans"`  // no pid namespace ends it with the fork server
	Rlimits        map[string][2]int64 `json:"rlimits"`
	Seccomp        bool                `json:"seccomp"`
	Filter         Filter              `json:"worker_filter"`
	Landlock       *landlock           `json:"landlock"`
	Files          *filesPlan          `json:"files"`
	Egress         *egressPlan         `json:"egress"`
}

type pathAccess struct {
	path   string
	access uint64
}

// MarshalJSON gives [path, access].
func (p pathAccess) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.path, p.access}) }

// Message is the plan as the fork server reads it, which has so much patience for huge pages.
func (p *Plan) Message(patience time.Duration) ([]byte, error) {
	return json.Marshal(struct {
		planMessage
		Patience float64 `json:"patience"` // seconds
	}{p.message, patience.Seconds()})
}

// Plans gives the plans worth trying on this machine, the strongest first. What makes a
// plan fail is known only to the kernel: a container's profile, a security module, a
// count that is used up. So each is tried, and the reason of its failure goes into the
// layers of the next by Weaken.
func Plans(o Options) []*Plan {
	if o.Bare {
		return []*Plan{barePlan(o)}
	}
	root := os.Geteuid() == 0
	o.ReadPaths = slices.Concat(o.ReadPaths, networkPaths(o.Network))
	plans := []*Plan{newPlan(o, namespacesOf(root, true))}
	if root {
		plans = append(plans, newPlan(o, namespacesOf(root, false)))
	}
	return append(plans, newPlan(o, namespaces{}))
}

// environment is all that a fork server's environment begins with.
var environment = map[string]string{
	"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
}

// barePlan confines nothing.
func barePlan(o Options) *Plan {
	p := &Plan{Attr: &syscall.SysProcAttr{Setsid: true}}
	p.message.Syscalls = syscallNumbers
	p.message.Warm = o.Warm
	p.message.Environment = maps.Clone(environment)
	p.useLibraries(o)
	p.message.Worker.Orphans = true
	p.message.Worker.Rlimits = map[string][2]int64{}
	for _, name := range Names {
		p.layer(name, false, "switched off for a measurement")
	}
	return p
}

// namespaces is what a fork server is started in.
type namespaces struct {
	any  bool
	user bool
	root bool // the executor itself has the rights of root
}

func namespacesOf(root, user bool) namespaces { return namespaces{any: true, user: user, root: root} }

func newPlan(o Options, ns namespaces) *Plan {
	p := &Plan{Attr: &syscall.SysProcAttr{Setsid: true}}
	p.message.Syscalls = syscallNumbers
	p.message.Warm = o.Warm
	p.message.Environment = maps.Clone(environment)
	p.useLibraries(o)
	p.message.Worker.ScratchOptions = fmt.Sprintf("mode=0700,size=%d,nr_inodes=%d",
		o.Limits.ScratchBytes, o.Limits.ScratchFiles)
	p.message.Worker.Rlimits, p.message.Worker.Sessions = rlimits(o), o.Sessions
	p.useCgroups(o)
	p.layer(NoNewPrivs, true, "")
	p.layer(Rlimits, true, "memory, CPU time, threads, descriptors, file size")
	p.useNamespaces(o, ns)
	p.useLandlock(o)
	p.useFiles(o)
	p.useCommands(o)
	p.useNetwork(o)
	p.useSeccomp(o)
	slices.SortFunc(p.Layers, func(a, b Layer) int {
		return slices.Index(Names, a.Name) - slices.Index(Names, b.Name)
	})
	return p
}

func (p *Plan) layer(name string, inForce bool, detail string) {
	p.Layers = append(p.Layers, Layer{Name: name, InForce: inForce, Detail: detail})
}

// Weaken records why a stronger plan could not be carried out.
func (p *Plan) Weaken(stronger *Plan, cause error) {
	for i, layer := range p.Layers {
		for _, was := range stronger.Layers {
			switch {
			case was.Name != layer.Name || layer.InForce:
			case was.InForce:
				p.Layers[i].Detail = cause.Error()
			default:
				p.Layers[i].Detail = was.Detail
			}
		}
	}
}

func (p *Plan) useNamespaces(o Options, ns namespaces) {
	worker := &p.message.Worker
	if os.Geteuid() == 0 {
		id := UnprivilegedID
		p.message.User, p.message.SetGroups = &id, true
	}
	if !ns.any {
		none := uint64(0)
		p.message.Capabilities = &none
		worker.Orphans = true
		for _, name := range []string{User, PID, Mount, Network, IPC, UTS} {
			p.layer(name, false, "not tried")
		}
		return
	}
	p.layer(PID, true, "")
	p.layer(Mount, true, "the interpreter, its libraries and an own directory, nothing else")
	p.layer(Network, true, "no interfaces")
	p.layer(IPC, true, "")
	p.layer(UTS, true, "")
	p.Attr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET |
		unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	worker.Capabilities = true
	p.layer(User, ns.user, "")
	if ns.user {
		p.Attr.Cloneflags |= unix.CLONE_NEWUSER
		// Programs are nobody inside as well, whoever the executor is. A user other than
		// root keeps its rights in the namespace over the exec by these.
		inside := UnprivilegedID
		p.Attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
		if ns.root {
			inside, p.Attr.AmbientCaps = 0, nil
		}
		p.Attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: inside, HostID: os.Geteuid(), Size: 1}}
		p.Attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: inside, HostID: os.Getegid(), Size: 1}}
		if ns.root {
			other := syscall.SysProcIDMap{ContainerID: UnprivilegedID, HostID: UnprivilegedID, Size: 1}
			p.Attr.UidMappings = append(p.Attr.UidMappings, other)
			p.Attr.GidMappings = append(p.Attr.GidMappings, other)
			p.Attr.GidMappingsEnableSetgroups = true
		}
	}
	keep := uint64(1) << unix.CAP_SYS_ADMIN // to mount each worker's own directory
	p.message.Capabilities = &keep
	p.message.Hostname = true
	scratch := cmp.Or(o.Files.Scratch.Path, DefaultScratch)
	p.message.Root = &rootPlan{
		Paths: withoutNested(o.ReadPaths), Devices: devices,
		Links: map[string]string{"/tmp": scratch}, Scratch: scratch,
	}
	worker.Scratch = scratch
	if id := p.message.User; id != nil {
		worker.ScratchOptions += fmt.Sprintf(",uid=%d,gid=%d", *id, *id)
	}
	p.Scratch = scratch
}

func (p *Plan) useLandlock(o Options) {
	abi, err := landlockABI()
	if err != nil {
		p.layer(Landlock, false, err.Error())
		return
	}
	l := newLandlock(abi)
	if o.Network == NetworkAll {
		l.HandledNet = 0
	}
	if p.message.Root != nil {
		l.allow("/", readTree)
	} else {
		for _, path := range withoutNested(o.ReadPaths) {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				l.allow(path, readTree)
			} else if err == nil {
				l.allow(path, readFile)
			}
		}
		for _, device := range devices {
			l.allow(device, readFile)
		}
	}
	l.allow("/dev/null", readFile|unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
	p.message.Worker.Landlock = l
	p.layer(Landlock, true, l.describe(abi))
}

func (p *Plan) useSeccomp(o Options) {
	if err := seccompAvailable(); err != nil {
		p.layer(Seccomp, false, err.Error())
		return
	}
	ownRoot := p.message.Root != nil
	var extra []uint32
	var changes []func(map[uint32]decision)
	if p.Commands {
		extra = slices.Concat(starting, startingHere)
		changes = append(changes, startCommands)
	}
	if ownRoot && p.message.Root.Workspace != nil && !p.message.Root.Workspace.Readonly {
		changes = append(changes, plainModes)
	}
	if w := o.Files.Workspace; w.Path != "" && !w.Readonly {
		changes = append(changes, shareLocks)
	}
	detail := "an allow-list; everything else is EPERM"
	switch {
	case p.Egress:
		extra, changes = append(extra, proxied...), append(changes, useProxyOnly)
		detail += "; what programs take for TCP sockets leads to the executor's proxy"
	case o.Network == NetworkAll:
		extra, changes = append(extra, connecting...), append(changes, useSockets)
		detail += "; TCP and UDP are allowed"
	}
	code := base64.StdEncoding.EncodeToString(forkServerFilter(extra...).Code)
	p.message.Filter = &code
	p.message.Worker.Seccomp = true
	p.message.Worker.Filter = workerFilter(ownRoot, changes...)
	p.layer(Seccomp, true, detail)
}

// seccompAvailable asks whether a filter that answers with an errno could be installed.
func seccompAvailable() error {
	action := uint32(retErrno)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0,
		uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return fmt.Errorf("seccomp filters are not to be had here: %w", errno)
	}
	return nil
}

func rlimits(o Options) map[string][2]int64 {
	l := o.Limits
	return map[string][2]int64{
		"DATA":     {l.MemoryBytes, l.MemoryBytes + reportSlack},
		"AS":       {l.MemoryBytes + addressSpaceSlack, l.MemoryBytes + addressSpaceSlack + reportSlack},
		"CPU":      {l.CPUSeconds, l.CPUSeconds + 1},
		"FSIZE":    {l.FileBytes, l.FileBytes},
		"NOFILE":   {l.OpenFiles, l.OpenFiles},
		"NPROC":    {(l.Threads + threadSlack) * int64(o.Workers), (l.Threads + threadSlack) * int64(o.Workers)},
		"CORE":     {0, 0},
		"MEMLOCK":  {0, 0},
		"MSGQUEUE": {0, 0},
		"NICE":     {0, 0},
		"RTPRIO":   {0, 0},
	}
}

var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// withoutNested drops paths that do not exist and paths inside another of the list.
func withoutNested(paths []string) []string {
	sorted := slices.Clone(paths)
	slices.Sort(sorted)
	var kept []string
	for _, path := range slices.Compact(sorted) {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		nested := slices.ContainsFunc(kept, func(outer string) bool {
			return strings.HasPrefix(path, strings.TrimSuffix(outer, "/")+"/")
		})
		if !nested {
			kept = append(kept, path)
		}
	}
	return kept
}

// syscallNumbers are those that the runner makes itself.
var syscallNumbers = map[string]int{
	"mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "pivot_root": unix.SYS_PIVOT_ROOT,
	"open_tree": unix.SYS_OPEN_TREE, "move_mount": unix.SYS_MOVE_MOUNT,
	"mount_setattr": unix.SYS_MOUNT_SETATTR, "unshare": unix.SYS_UNSHARE, "clone": unix.SYS_CLONE, "getpid": unix.SYS_GETPID,
	"prctl": unix.SYS_PRCTL, "madvise": unix.SYS_MADVISE,
	"mmap": unix.SYS_MMAP, "munmap": unix.SYS_MUNMAP, "mremap": unix.SYS_MREMAP, "mprotect": unix.SYS_MPROTECT,
	"pidfd_open": unix.SYS_PIDFD_OPEN, "close_range": unix.SYS_CLOSE_RANGE, "capset": unix.SYS_CAPSET, "seccomp": unix.SYS_SECCOMP,
	"landlock_create_ruleset": unix.SYS_LANDLOCK_CREATE_RULESET,
	"landlock_add_rule":       unix.SYS_LANDLOCK_ADD_RULE,
	"landlock_restrict_self":  unix.SYS_LANDLOCK_RESTRICT_SELF,
}
