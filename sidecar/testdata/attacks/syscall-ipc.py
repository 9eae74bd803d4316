# tries: share memory, semaphores and messages, which outlive processes
# status: ok
for key in (0, 1, 4711):
    refused('shmget', key, 4096, 0o1777)
    refused('semget', key, 1, 0o1777)
    refused('msgget', key, 0o1777)
refused('mq_open', b'codemode', 0o102, 0o600, 0)
from multiprocessing import shared_memory
fails('shared memory', lambda: shared_memory.SharedMemory(create=True, size=4096))
done()
