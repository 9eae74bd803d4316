# tries: hide a call or an argument in bits that a filter might not look at
# status: ok
for number in (NUMBERS['socket'][0 if AMD64 else 1], NUMBERS['ptrace'][0 if AMD64 else 1]):
    for high in (1 << 32, 1 << 63, 0xffffffff << 32):
        signed = high | number
        signed = signed - (1 << 64) if signed >> 63 else signed
        refused(signed, 2, 1, 0)
refused('kill', os.getppid() | 1 << 32, 0)
refused('kill', os.getppid() - (1 << 32), 0)
refused('socketpair', 2 | 1 << 32, 1, 0, 0)
refused('fcntl', 0, 8 | 1 << 32, os.getppid())
refused('clone', 17 | 1 << 32, 0, 0, 0, 0)
done()
