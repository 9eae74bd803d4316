# tries: get at descriptors and memory through a handle on itself or its parent
# status: ok
for pid in (os.getpid(), os.getppid(), 1, canary_pid):
    fails(f'pidfd {pid}', syscall, 'pidfd_open', pid, 0)
refused('pidfd_getfd', 3, 3, 0)
refused('pidfd_send_signal', 3, 9, 0, 0)
refused('process_madvise', 3, 0, 0, 0, 0)
refused('process_mrelease', 3, 0)
refused('kcmp', os.getpid(), os.getppid(), 0, 0, 0)
refused('process_vm_readv', os.getpid(), 0, 0, 0, 0, 0)
fails('PIDFD_SELF', syscall, 'pidfd_send_signal', -10000, 0, 0, 0)
done()
