# tries: leave named memory, semaphores and queues
# status: ok
from multiprocessing import shared_memory
fails('shared memory', shared_memory.SharedMemory, name='poison', create=True, size=4096)
for name in (b'/poison',):
    for function in (libc.shm_open, libc.sem_open):
        got = function(name, 0o102, 0o666, 1)
        if got not in (-1, 0):
            escaped(f'{function}: {got}')
refused('shmget', 4711, 4096, 0o1666)
refused('semget', 4711, 1, 0o1666)
refused('msgget', 4711, 0o1666)
refused('mq_open', b'poison', 0o102, 0o666, 0)
done()
