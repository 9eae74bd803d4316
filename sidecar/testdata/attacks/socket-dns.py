# tries: ask name servers, by every function that does
# status: ok
for host in ('localhost', 'example.com', 'metadata.google.internal', '169.254.169.254.nip.io'):
    for function in (socket.gethostbyname, socket.gethostbyname_ex, lambda h: socket.getaddrinfo(h, 80), socket.getfqdn):
        try:
            got = function(host)
        except OSError:
            continue
        if got not in (host,) and '127.0.0.1' not in str(got) and '::1' not in str(got):
            escaped(f'{host} is {got}')
for server in ('127.0.0.53', '8.8.8.8'):
    fails(server, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (server, 53)))
done()
