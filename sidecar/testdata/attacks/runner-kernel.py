# tries: undo the confinement with the runner's own calls
# status: ok
kernel = sys.modules.get('codemode_runner.kernel')
if kernel is not None:
    for name, args in (('unshare', (0x10000000,)), ('mount', (b'none', b'.', b'tmpfs', 0, 0)), ('seccomp', (1, 0, 0)), ('capset', (0, 0)),
                       ('landlock_create_ruleset', (0, 0, 1)), ('clone', (17, 0, 0, 0, 0)), ('pidfd_open', (os.getppid(), 0))):
        fails(name, kernel.call, name, *args)
    fails('keep', kernel.prctl, kernel.PR_SET_DUMPABLE, 1)
done()
