# tries: end in the middle of a generator that refuses to end
# status: ok|error|timeout
# timeout: 700ms
def g():
    while True:
        try:
            yield 1
        except GeneratorExit:
            pass
done()
x = g()
next(x)
