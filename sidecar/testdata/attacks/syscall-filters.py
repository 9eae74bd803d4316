# tries: stack filters and rulesets of its own to confuse those in force
# status: ok
program = ctypes.create_string_buffer(struct.pack('=HBBI', 6, 0, 0, 0x7fff0000), 8)
header = ctypes.create_string_buffer(struct.pack('=H6xQ', 1, ctypes.addressof(program)), 16)
for flags in (0, 1, 2, 4, 8, 16):
    refused('seccomp', 1, flags, header)
refused('seccomp', 0, 0, 0)
refused('prctl', 22, 2, header, 0, 0)
refused('prctl', 22, 1, 0, 0, 0)
refused('landlock_create_ruleset', ctypes.create_string_buffer(24), 24, 0)
refused('landlock_add_rule', 3, 1, ctypes.create_string_buffer(16), 0)
refused('landlock_restrict_self', 3, 0)
done()
