# tries: find files that may be written anywhere it can see
# status: ok
# timeout: 10s
deadline = time.monotonic() + 1.5
scratch = os.path.realpath('.')
seen = 0
for root in ('/', '/usr', '/etc', '/var', '/tmp', '/dev'):
    for directory, names, files in os.walk(root):
        if os.path.realpath(directory).startswith(scratch) or time.monotonic() > deadline:
            names.clear()
            continue
        if seen < 2000:
            seen += 1
            probe = os.path.join(directory, '.codemode-probe')
            fails(directory, open, probe, 'w')
            fails(directory, os.mkdir, probe)
done()
