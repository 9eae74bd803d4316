# tries: start a process in each way that the library knows
# status: ok
import subprocess, multiprocessing
attempts = {
    'system': lambda: os.system('true') == 0 or 1 / 0,
    'popen': lambda: os.popen('echo x').read() or 1 / 0,
    'posix_spawn': lambda: os.posix_spawn('/bin/true', ['true'], {}),
    'spawnv': lambda: os.spawnv(os.P_WAIT, '/bin/true', ['true']) == 0 or 1 / 0,
    'subprocess': lambda: subprocess.run(['/bin/true'], check=True),
    'close_fds': lambda: subprocess.run([sys.executable, '-c', '1'], check=True, close_fds=False),
    'preexec': lambda: subprocess.run(['true'], preexec_fn=lambda: None, check=True),
    'fork': lambda: os.fork() or os._exit(0),
    'forkpty': lambda: os.forkpty()[0] or os._exit(0),
    'c system': lambda: libc.system(b'true') == 0 or 1 / 0,
    'c popen': lambda: libc.popen(b'true', b'r') or 1 / 0,
    'c execl': lambda: libc.execv(b'/bin/true', (ctypes.c_char_p * 2)(b'true', None)) == 0 or 1 / 0,
    'fexecve': lambda: os.execve(os.open(sys.executable, os.O_RDONLY), ['x'], {}),
}
for name, act in attempts.items():
    fails(name, act)
for method in ('fork', 'spawn', 'forkserver'):
    def start():
        p = multiprocessing.get_context(method).Process(target=os._exit, args=(0,))
        p.start()
        p.join(1)
        return p.exitcode
    fails(method, start)
done()
