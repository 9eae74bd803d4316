# tries: use /proc, its own and that of others
# status: ok
paths = ['/proc/1/environ', '/proc/1/cmdline', '/proc/1/root/etc/passwd', '/proc/1/cwd', '/proc/self/environ',
         '/proc/self/maps', '/proc/self/mem', '/proc/self/root/etc/passwd', '/proc/self/cwd/../etc/passwd',
         '/proc/thread-self/root/etc/shadow', '/proc/thread-self/environ', '/proc/self/task', '/proc/self/mountinfo',
         '/proc/self/status', '/proc/cpuinfo', '/proc/meminfo', '/proc/version', '/proc/cmdline', '/proc/keys',
         '/proc/kallsyms', '/proc/kcore', '/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/net/tcp',
         '/proc/net/unix', '/proc/locks', '/proc/mounts', '/proc/modules', '/proc/sys/kernel/random/boot_id']
paths += [f'/proc/{os.getpid()}/{name}' for name in ('environ', 'mem', 'maps', 'cmdline', 'fd', 'stack')]
for pid in (os.getppid(), canary_pid):
    paths += [f'/proc/{pid}/{name}' for name in ('environ', 'mem', 'maps', 'cmdline', 'root', 'cwd', 'fd', 'exe', 'stack')]
null = os.stat('/dev/null')
for path in paths:
    # Engines put /dev/null over some of these.
    try:
        if os.path.samestat(os.stat(path), null):
            continue
    except OSError:
        pass
    fails(path, read, path)
    fails(path, os.listdir, path)
    fails(path, os.open, path, os.O_WRONLY)
fails('all', os.listdir, '/proc')
done()
