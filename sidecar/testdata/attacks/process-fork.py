# tries: make processes by every call there is
# status: ok
import subprocess
pid = os.getpid()
refused('fork')
refused('clone', 17, 0, 0, 0, 0)
refused('clone', 0x00000100 | 0x00004000 | 17, 0, 0, 0, 0)
refused('clone', 0x00010000, 0, 0, 0, 0)
refused('clone', 0x00000100 | 0x00000800, 0, 0, 0, 0)
refused('clone3', ctypes.create_string_buffer(88), 88)
fails('fork', os.fork)
fails('forkpty', os.forkpty)
fails('spawn', os.posix_spawn, '/bin/true', ['true'], {})
fails('run', subprocess.run, ['/bin/true'])
fails('shell', subprocess.check_output, 'id', shell=True)
fails('popen', lambda: os.popen('id').read() or 1 / 0)
fails('system', lambda: os.system('exit 0') and 1 / 0)
import multiprocessing
fails('multiprocessing', lambda: multiprocessing.Process(target=print).start())
if os.getpid() == pid:
    done()
