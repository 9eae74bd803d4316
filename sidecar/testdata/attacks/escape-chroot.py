# tries: get another root directory
# status: ok
os.mkdir('d')
refused('chroot', b'd')
refused('pivot_root', b'.', b'.')
refused('unshare', 0x00020000)
fails('chroot', os.chroot, '.')
done()
