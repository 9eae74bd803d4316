# tries: get hold of others by descriptor
# status: ok
for pid in (1, os.getppid(), canary_pid, os.getpid()):
    refused('pidfd_open', pid, 0)
refused('pidfd_getfd', 3, 0, 0)
refused('pidfd_send_signal', 3, 9, 0, 0)
refused('kcmp', os.getpid(), os.getppid(), 0, 0, 0)
done()
