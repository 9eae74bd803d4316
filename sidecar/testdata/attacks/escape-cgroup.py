# tries: leave its cgroup, raise its limits, freeze or end others
# status: ok
import glob
for base in ('/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/memory', '/proc/self/root/sys/fs/cgroup'):
    for name, text in (('cgroup.procs', '0'), ('cgroup.kill', '1'), ('cgroup.freeze', '1'), ('memory.max', 'max'),
                       ('pids.max', 'max'), ('cgroup.subtree_control', '+memory'), ('release_agent', '/bin/sh'), ('cgroup.threads', '0')):
        for path in (base + '/' + name, base + '/codemode-executor/' + name, *glob.glob(base + '/*/' + name)):
            fails(path, lambda: os.write(os.open(path, os.O_WRONLY), text.encode()))
    fails(base, os.mkdir, base + '/mine')
fails('mount', syscall, 'mount', b'none', os.getcwd().encode(), b'cgroup2', 0, 0)
fails('clone3 into another', syscall, 'clone3', struct.pack('=11Q', 1 << 33, 0, 0, 0, 17, 0, 0, 0, 0, 0, 3), 88)
done()
