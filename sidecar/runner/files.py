"""The directories that a program is shown besides the interpreter's own."""

import os

from . import kernel

_DATA = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


def open_workspace(plan):
    """Take hold of the workspace before the root directory is built."""
    return None if plan is None else kernel.open_tree(plan["source"])


def place_workspace(fd, plan, root):
    """Put it into the new root directory."""
    if fd is None:
        return
    attributes = kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NODEV | kernel.MOUNT_ATTR_NOEXEC
    if plan["readonly"]:
        attributes |= kernel.MOUNT_ATTR_RDONLY
    kernel.set_mount_attributes(fd, attributes)
    kernel.move_mount(fd, root + plan["path"])
    os.close(fd)


class Directories:
    """A worker's own directories, where they are more than a scratch directory."""

    def __init__(self, plan):
        self._outputs = plan["outputs"]
        self._outputs_options = plan["outputs_options"]
        self._outputs_readonly = plan["outputs_readonly"]
        self._outputs_access = plan["outputs_access"]
        self._scratch_readonly = plan["scratch_readonly"]

    def prepare(self, scratch, outputs, mounts, hand_over):
        """Make them ready, and give the Landlock rules for them.

        outputs is where the executor has made a directory for this worker, if it has.
        If not, a mount is made, and handed over: the executor cannot see it otherwise.
        """
        rules = []
        if self._outputs:
            outputs = self._outputs
            flags = _DATA | (kernel.MS_RDONLY if self._outputs_readonly else 0)
            kernel.mount("tmpfs", outputs, "tmpfs", flags, self._outputs_options)
        if outputs:
            directory = os.open(outputs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            rules.append((directory, self._outputs_access))
            if self._outputs:
                hand_over(directory)
            os.symlink(outputs, os.path.join(scratch, "outputs"))
            os.environ["CODEMODE_OUTPUTS"] = outputs
        if mounts and self._scratch_readonly:
            flags = _DATA | kernel.MS_RDONLY | kernel.MS_REMOUNT | kernel.MS_BIND
            kernel.mount("", scratch, "", flags, "")
        return rules
