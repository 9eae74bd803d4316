# tries: set attributes, capabilities and access lists on files
# status: ok
open('f', 'w').close()
for name in ('user.x', 'security.capability', 'system.posix_acl_access', 'trusted.x', 'security.selinux', 'user.overlay.opaque'):
    for path in ('f', os.__file__, canary_file):
        fails(f'{name} on {path}', os.setxattr, path, name, b'\1' * 20)
        fails(f'remove {name} of {path}', os.removexattr, path, name)
done()
