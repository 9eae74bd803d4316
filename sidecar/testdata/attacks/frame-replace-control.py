# tries: put a pipe in the place of the control socket
# status: killed|error|timeout
# timeout: 2s
a, b = os.pipe()
os.dup2(b, 3)
