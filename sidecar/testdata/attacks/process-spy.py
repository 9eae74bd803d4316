# tries: watch other processes of its namespace by their ids
# status: ok
others = [1, 2, os.getppid(), canary_pid] + list(range(os.getpid() - 20, os.getpid())) + list(range(os.getpid() + 1, os.getpid() + 20))
clock = ctypes.create_string_buffer(16)
for pid in others:
    refused('getpgid', pid)
    refused('getsid', pid)
    refused('sched_getaffinity', pid, 16, clock)
    refused('clock_gettime', ~pid << 3 | 2, clock)
    fails('policy', os.sched_getscheduler, pid)
    fails('priority', os.getpriority, os.PRIO_PROCESS, pid)
done()
