# tries: enter the kernel by sysenter
# status: killed|ok
# arch: amd64
import mmap
m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.write(bytes([0xb8, 20, 0, 0, 0, 0x89, 0xe5, 0x0f, 0x34, 0xc3]))  # mov eax, getpid; mov ebp, esp; sysenter; ret
f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
escaped(f'process {f()}')
