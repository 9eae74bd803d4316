# tries: read and write the memory of others
# status: ok
local = ctypes.create_string_buffer(8)
vector = ctypes.create_string_buffer(struct.pack('=QQ', ctypes.addressof(local), 8), 16)
for pid in (1, os.getppid(), canary_pid, os.getpid()):
    refused('process_vm_readv', pid, vector, 1, vector, 1, 0)
    refused('process_vm_writev', pid, vector, 1, vector, 1, 0)
    fails('mem', os.open, f'/proc/{pid}/mem', os.O_RDWR)
    refused('get_robust_list', pid, vector, vector)
refused('process_madvise', 3, vector, 1, 4, 0)
refused('process_mrelease', 3, 0)
done()
