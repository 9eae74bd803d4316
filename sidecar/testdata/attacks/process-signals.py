# tries: signal others by every call there is
# status: ok
info = ctypes.create_string_buffer(128)
for pid in (1, 0, -1, os.getppid(), -os.getppid(), canary_pid, -canary_pid, os.getpid() + 1, os.getpid() - 1, 2, 3):
    for number in (0, 9, 15, 19):
        refused('kill', pid, number)
        refused('tkill', pid, number)
        refused('tgkill', pid, pid, number)
        refused('rt_sigqueueinfo', pid, number, info)
        refused('rt_tgsigqueueinfo', pid, pid, number, info)
fails('group', os.killpg, os.getpgrp(), 9)
done()
