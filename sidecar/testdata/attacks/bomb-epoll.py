# tries: nest polls in each other, and wake them all
# status: ok|error|timeout|killed
# timeout: 3s
import select
held = []
try:
    while len(held) < 1000:
        held.append(select.epoll())
        for other in held[:-1][-50:]:
            try:
                other.register(held[-1].fileno(), select.EPOLLIN)
            except OSError:
                pass
except OSError:
    pass
for e in held:
    e.close()
done()
