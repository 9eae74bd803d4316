"""Taking rights away: once in the fork server, once in every worker."""

import base64
import copy
import os
import resource

from . import files, kernel


def enter_root(plan):
    """Build a root directory that holds the interpreter, its libraries and nothing else."""
    workspace = files.open_workspace(plan["workspace"])
    trees = [(path, kernel.open_tree(path)) for path in plan["paths"]]
    trees += [(path, kernel.open_tree(path, recursive=False)) for path in plan["devices"]]
    kernel.call("mount", 0, b"/", 0, kernel.MS_REC | kernel.MS_PRIVATE, 0)
    # Any directory will do: what it hides is in no one's way in this mount namespace.
    staging = "/tmp" if os.path.isdir("/tmp") else "/proc"
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", staging, "tmpfs", flags, "mode=0755,size=1m,nr_inodes=512")
    for path, fd in trees:
        device = path in plan["devices"]
        target = staging + path
        _make_target(target, os.path.isdir(f"/proc/self/fd/{fd}") if not device else False)
        attributes = kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_RDONLY
        if device:
            attributes |= kernel.MOUNT_ATTR_NOEXEC
        else:
            attributes |= kernel.MOUNT_ATTR_NODEV
        kernel.set_mount_attributes(fd, attributes)
        kernel.move_mount(fd, target)
        os.close(fd)
    _make_target(staging + plan["scratch"], True)
    if plan["outputs"]:
        _make_target(staging + plan["outputs"], True)
    if workspace is not None:
        _make_target(staging + plan["workspace"]["path"], True)
        files.place_workspace(workspace, plan["workspace"], staging)
    # Last: nothing above may be made through a link, which leads out of here as yet.
    for link, destination in plan["links"].items():
        if os.path.lexists(staging + link):
            continue  # the interpreter lives below it
        _make_target(os.path.dirname(staging + link), True)
        os.symlink(destination, staging + link)
    kernel.change_root(staging)
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    kernel.set_mount_attributes(
        root,
        kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NODEV,
        recursive=False,
    )
    os.close(root)


def _make_target(path, directory):
    if directory:
        os.makedirs(path, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o644))


def become(user, set_groups, capabilities):
    """Be the given user from here on, with the given capabilities (a bit mask) only."""
    if user is not None:
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
        if set_groups:
            os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if capabilities is not None:
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
        kernel.set_capabilities(capabilities)


# The limits that the fork server keeps to as well, so that its workers have them from it.
_INHERITED = {
    getattr(resource, "RLIMIT_" + name)
    for name in ("AS", "DATA", "FSIZE", "CORE", "MEMLOCK", "MSGQUEUE", "RTPRIO")
}


class WorkerConfinement:
    """What a worker does to itself between being forked and being ready.

    All that can be made ready for it is made here, in the fork server: what a worker
    touches for the first time costs it a page.
    """

    __slots__ = (
        "outlet", "orphans", "limits", "processor_time", "filter", "landlock", "rules", "scratch_access",
        "directories", "scratch", "leave_mounts", "mount", "capabilities", "drop_capabilities",
        "die_with_parent", "close_others", "used", "limits_left", "files",
    )  # fmt: skip

    def __init__(self, plan, outlet=None):
        self.outlet = outlet
        self.orphans = plan["orphans"]
        self.limits = [
            (getattr(resource, "RLIMIT_" + name), soft, hard)
            for name, (soft, hard) in plan["rlimits"].items()
        ]
        # What a program may use of the processors in its life. The executor counts it for
        # a session, where each run has as much: no process can have a limit raised.
        self.processor_time = []
        if plan["sessions"]:
            self.processor_time = [limit for limit in self.limits if limit[0] == resource.RLIMIT_CPU]
            self.limits = [limit for limit in self.limits if limit[0] != resource.RLIMIT_CPU]
        self.filter = None
        if plan["seccomp"]:
            filter_ = plan["worker_filter"]
            self.filter = kernel.Filter(base64.b64decode(filter_["code"]), filter_["pid_offsets"])
        self.landlock, self.rules, self.scratch_access = None, [], 0
        if plan["landlock"]:
            landlock = plan["landlock"]
            self.landlock = kernel.Landlock(
                landlock["handled_fs"], landlock["handled_net"], landlock["scoped"], landlock["size"]
            )
            self.rules = [
                (os.open(path, os.O_PATH | os.O_CLOEXEC), access)
                for path, access in landlock["rules"]
                if os.path.exists(path)
            ]
            self.scratch_access = landlock["scratch_access"]
        self.directories = files.Directories(plan["files"]) if plan["files"] else None
        # Every worker's scratch directory, if each has a mount of its own there, else "".
        self.scratch = plan["scratch"]
        self.leave_mounts = kernel.Call("unshare", kernel.CLONE_NEWNS)
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        self.mount = kernel.mounting("tmpfs", self.scratch, "tmpfs", flags, plan["scratch_options"])
        self.capabilities = plan["capabilities"]
        self.drop_capabilities = kernel.setting_capabilities(0)
        self.die_with_parent = kernel.Call("prctl", kernel.PR_SET_PDEATHSIG, 9, 0, 0, 0)
        self.close_others = kernel.Call("close_range", 4, 0xFFFFFFFF, 0)
        self.used = {}
        self.limits_left = self.files = []

    def measure(self, statm):
        """Take what every worker inherits as the floor of its memory limits.

        From here on this process keeps to most of its workers' limits itself.
        """
        pages = statm.read().split()
        size = resource.getpagesize()
        self.used = {
            resource.RLIMIT_AS: int(pages[0]) * size,
            resource.RLIMIT_DATA: int(pages[5]) * size,
        }
        self.limits = [
            (kind, soft + self.used.get(kind, 0), hard + self.used.get(kind, 0))
            for kind, soft, hard in self.limits
        ]
        for kind, soft, hard in self.limits:
            if kind in _INHERITED:
                resource.setrlimit(kind, (soft, hard))
        self.limits_left = [
            (kind, values)
            for kind, *values in self.limits
            if kind != resource.RLIMIT_NOFILE and resource.getrlimit(kind) != tuple(values)
        ]
        self.files = [tuple(values) for kind, *values in self.limits if kind == resource.RLIMIT_NOFILE]

    def rehearsal(self):
        """The same, for a process that is to be left as it is."""
        other = copy.copy(self)
        nothing = kernel.Call("getpid")
        other.leave_mounts = other.mount = other.drop_capabilities = nothing
        other.die_with_parent = other.close_others = nothing
        other.directories = other.outlet = None
        other.limits_left = [(kind, resource.getrlimit(kind)) for kind, *_ in self.limits]
        other.processor_time = [(kind, *resource.getrlimit(kind)) for kind, *_ in self.processor_time]
        other.files = [resource.getrlimit(resource.RLIMIT_NOFILE)]
        if self.landlock is not None:
            other.landlock = self.landlock.rehearsal()
        if self.filter is not None:
            other.filter = self.filter.rehearsal()
        return other

    def apply(self, scratch, outputs, parent, channel):
        """Confine this process to its directories; parent is the pid of what forked it."""
        if self.scratch:
            self.leave_mounts()
            self.mount()
        rules = self.rules
        if self.directories is not None:
            own = self.directories.prepare(scratch, outputs, bool(self.scratch), channel.hand_over)
            rules = [*rules, *own]
        if self.outlet is not None:
            self.outlet.hand_over_memory(channel)
        os.chdir(scratch)
        if self.capabilities:
            self.drop_capabilities()
        if self.orphans:
            # Where the fork server is not the init of a namespace, nothing else ends
            # its workers with it.
            self.die_with_parent()
            if os.getppid() != parent:
                raise OSError("the fork server ended")
        for kind, values in self.limits_left:
            resource.setrlimit(kind, values)
        if self.landlock is not None:
            own = os.open(".", os.O_PATH | os.O_CLOEXEC)
            self.landlock.restrict([*rules, (own, self.scratch_access)])
            os.close(own)
        self.close_others()
        if self.outlet is not None:
            self.outlet.hand_over(channel, self.filter)
        elif self.filter is not None:
            self.filter.install()
        # Last: it also bounds what may be handed over, against what all of a user's
        # processes have in flight, and another's program must not keep this from its way.
        for values in self.files:
            resource.setrlimit(resource.RLIMIT_NOFILE, values)

    def lower(self, limit, session):
        """Hold this process to what is known only now that there is a program.

        limit is that of its memory, if it is less than the plan's, else 0.
        """
        for kind, soft, hard in () if session else self.processor_time:
            resource.setrlimit(kind, (soft, hard))
        if limit == 0:
            return
        excess = 0
        for kind, soft, hard in self.limits:
            if kind == resource.RLIMIT_DATA:
                excess = soft - self.used[kind] - limit
        if excess <= 0:
            return
        for kind, soft, hard in self.limits:
            if kind in self.used:
                resource.setrlimit(kind, (soft - excess, hard - excess))
