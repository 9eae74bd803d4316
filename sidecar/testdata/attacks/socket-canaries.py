# tries: reach servers of the host
# status: ok
import http.client, urllib.request
for port in (canary_tcp, 22, 80, 443, 8001, 50051, 2375):
    for host in ('127.0.0.1', '::1', 'localhost', '169.254.169.254', '172.17.0.1', '10.0.0.1', '0.0.0.0'):
        fails(f'{host}:{port}', socket.create_connection, (host, port), 0.2)
fails('page', urllib.request.urlopen, f'http://127.0.0.1:{canary_tcp}/', timeout=0.2)
fails('metadata', urllib.request.urlopen, 'http://169.254.169.254/latest/meta-data/', timeout=0.2)
fails('http', lambda: http.client.HTTPConnection('127.0.0.1', canary_tcp, timeout=0.2).request('GET', '/'))
fails('name', socket.gethostbyname, 'example.com')
fails('info', socket.getaddrinfo, 'example.com', 443)
fails('listen', socket.create_server, ('127.0.0.1', 0))
done()
