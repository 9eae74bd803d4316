# tries: read what is meant for the runner, and tell the executor nothing
# status: timeout
# timeout: 500ms
socket.socket(fileno=os.dup(3)).recv(1 << 16)
