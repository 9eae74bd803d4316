# tries: learn the host's mounts and paths from every place that tells of them
# status: ok
secret = os.path.dirname(canary_file)
for path in ('/proc/mounts', '/proc/self/mountinfo', '/proc/1/mountinfo', '/etc/mtab', '/proc/self/mountstats', '/proc/self/maps',
             '/proc/self/environ', '/proc/1/environ', '/proc/self/cmdline', '/proc/self/auxv', '/proc/keys', '/proc/net/unix',
             '/proc/net/tcp', '/proc/sysvipc/shm', '/proc/locks', '/proc/sched_debug', '/proc/timer_list', '/proc/kallsyms',
             '/sys/kernel/notes', '/sys/fs/cgroup/cgroup.procs', '/run/systemd/system', '/var/run/docker.sock'):
    try:
        text = read(path)
    except OSError:
        continue
    if text:  # engines put /dev/null over some
        escaped(f'{path}: {text[:60]}')
fails('listmount', syscall, 458, 0, 0, 0, 0)
fails('statmount', syscall, 457, 0, 0, 0, 0)
done()
