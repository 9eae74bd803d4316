# tries: write one huge file
# status: ok|killed
# timeout: 5s
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
written = 0
try:
    with open('f', 'wb', 0) as f:
        while written < 4 << 30:
            written += f.write(b'x' * (1 << 20))
    escaped(f'{written} bytes')
except OSError:
    pass
done()
