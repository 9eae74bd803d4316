# tries: read what a host or a container keeps for itself
# status: ok
for path in ('/etc/shadow', '/etc/passwd', '/etc/group', '/etc/hostname', '/etc/hosts', '/etc/resolv.conf',
             '/etc/machine-id', '/root/.bash_history', '/root/.ssh/id_rsa', '/home', '/root', '/boot', '/srv',
             '/opt', '/mnt', '/media', '/var/log', '/var/lib', '/etc/ssl/private', '/etc/ssh',
             '/.dockerenv', '/run/.containerenv', '/docker-entrypoint.d'):
    fails(path, read, path)
    fails(path, os.listdir, path)
done()
