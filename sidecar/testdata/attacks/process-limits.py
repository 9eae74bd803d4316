# tries: change limits, priorities and processors of others, and raise its own
# status: ok
import resource
new = ctypes.create_string_buffer(struct.pack('=QQ', 1, 1), 16)
for pid in (1, os.getppid(), canary_pid):
    refused('prlimit64', pid, 0, new, 0)
    refused('prlimit64', pid, 0, 0, new)
    refused('sched_setaffinity', pid, 8, new)
    refused('setpriority', 0, pid, 19)
    refused('ioprio_set', 1, pid, 0x6000)
    refused('sched_setscheduler', pid, 0, new)
    refused('sched_setattr', pid, new, 0)
    refused('setpgid', pid, 0)
    refused('move_pages', pid, 0, 0, 0, 0, 0)
    refused('migrate_pages', pid, 1, new, new)
refused('setpriority', 1, 0, 19)
refused('setpriority', 2, os.getuid(), 19)
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU,
             resource.RLIMIT_NPROC, resource.RLIMIT_MEMLOCK, resource.RLIMIT_CORE):
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY:
        escaped(f'limit {kind} is none')
    fails(f'limit {kind}', resource.setrlimit, kind, (hard + 1, hard + 1))
done()
