# tries: crash the compiler with deep code
# status: error|killed|memory_limit|timeout|ok
# timeout: 2s
for source in ('(' * 100000, '-' * 1000000 + '1', 'x = ' + '[' * 100000 + ']' * 100000, 'a' + '.b' * 1000000, 'if 1:\n' + ' if 1:\n' * 1000):
    try:
        eval(compile(source, 'x', 'exec'))
    except (SyntaxError, MemoryError, RecursionError, NameError):
        pass
done()
