# tries: return from a signal that never was, with registers of its choice
# status: killed|error|timeout
# timeout: 2s
syscall(15 if AMD64 else 139)
os.abort()
