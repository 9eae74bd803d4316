# tries: read and write /sys, cgroups and debugging file systems
# status: ok
for path in ('/sys', '/sys/kernel', '/sys/class/net', '/sys/class/dmi/id/product_uuid', '/sys/fs/cgroup',
             '/sys/fs/cgroup/cgroup.procs', '/sys/fs/cgroup/memory.max', '/sys/kernel/debug', '/sys/kernel/tracing',
             '/sys/firmware', '/sys/kernel/security', '/sys/fs/bpf', '/sys/kernel/uevent_helper', '/sys/power/state'):
    fails(path, read, path)
    fails(path, os.listdir, path)
    fails(path, os.open, path, os.O_WRONLY)
done()
