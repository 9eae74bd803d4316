# tries: trace others and itself
# status: ok
for request in (0, 16, 0x4206, 1, 4):
    for pid in (0, 1, os.getppid(), canary_pid):
        refused('ptrace', request, pid, 0, 0)
done()
