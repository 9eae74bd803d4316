# tries: make a socket of every family and type
# status: ok
for family in range(0, 50):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        for protocol in (0, 1, 6, 15, 17):
            refused('socket', family, kind, protocol)
done()
