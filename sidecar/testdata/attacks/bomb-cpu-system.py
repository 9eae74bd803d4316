# tries: spend its time inside the kernel
# status: timeout
# timeout: 500ms
fd = os.open('/dev/zero', os.O_RDONLY)
while True:
    os.read(fd, 1 << 22)
