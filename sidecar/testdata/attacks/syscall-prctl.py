# tries: change what the kernel thinks of it
# status: ok
for option, value in ((1, 9), (4, 1), (4, 2), (8, 1), (22, 1), (24, 21), (26, 1), (28, 0), (29, 1), (30, 1), (33, 1), (35, 1),
                      (36, 1), (38, 1), (41, 1), (43, 1), (47, 4), (50, 1), (52, 0), (53, 0), (55, 0), (59, 1), (62, 1), (65, 1), (66, 1),
                      (67, 1), (0x59616d61, -1)):
    refused('prctl', option, value, 0, 0, 0)
if libc.prctl(3, 0, 0, 0, 0) != 0:
    escaped('it can be dumped')
if libc.prctl(39, 0, 0, 0, 0) != 1:
    escaped('it may gain privileges')
done()
