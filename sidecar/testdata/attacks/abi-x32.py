# tries: use the x32 table of calls
# status: ok
# arch: amd64
X32 = 0x40000000
for number in list(range(0, 470)) + list(range(512, 548)):
    refused(X32 | number, 0, 0, 0, 0, 0, 0)
done()
