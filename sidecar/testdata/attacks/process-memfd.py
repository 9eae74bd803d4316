# tries: run a program that is in no file
# status: ok
for flags in (0, 1, 2, 3, 0x10):
    refused('memfd_create', b'x', flags)
refused('memfd_secret', 0)
refused('execveat', 3, b'', 0, 0, 0x1000)
done()
