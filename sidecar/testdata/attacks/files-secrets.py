# tries: read secrets where containers usually have them
# status: ok
for path in ('/run/secrets', '/var/run/secrets', '/var/run/secrets/kubernetes.io/serviceaccount/token',
             '/var/run/secrets/eks.amazonaws.com/serviceaccount/token', '/etc/kubernetes', '/var/run/docker.sock',
             '/run/docker.sock', '/run/containerd/containerd.sock', '/run/dbus/system_bus_socket',
             '/etc/podinfo', '/vault/secrets', '/config', '/data', '/app', '/workspace', '/codemode.yaml',
             '/etc/codemode', '/run/codemode', '/tls', '/certs', '/etc/tls', '/run'):
    fails(path, read, path)
    fails(path, os.listdir, path)
done()
