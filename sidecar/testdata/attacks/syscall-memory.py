# tries: lock, move and place memory, its own and others'
# status: ok
buffer = ctypes.create_string_buffer(4096)
refused('mlock', buffer, 4096)
refused('mlockall', 3)
refused('mbind', buffer, 4096, 1, 0, 0, 0)
refused('set_mempolicy', 1, 0, 0)
refused('get_mempolicy', 0, 0, 0, 0, 0)
refused('move_pages', 0, 0, 0, 0, 0, 0)
refused('remap_file_pages', buffer, 4096, 0, 0, 0)
refused('vmsplice', 1, 0, 0, 0)
done()
