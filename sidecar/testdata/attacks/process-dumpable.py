# tries: make itself readable for others, and leave a core
# status: ok
import resource
for option, arg in ((4, 1), (4, 2), (0x59616d61, -1), (36, 1), (1, 9), (8, 1), (28, 0), (24, 0), (33, 0), (35, 0), (38, 0), (47, 2), (53, 0), (59, 1), (65, 0)):
    refused('prctl', option, arg, 0, 0, 0)
fails('core', resource.setrlimit, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
if libc.prctl(3) != 0:
    escaped('it is dumpable')
done()
