# tries: stop the kernel in the middle of a copy
# status: ok
for flags in (0, 1, 0x800, 0x80000):
    refused('userfaultfd', flags)
done()
