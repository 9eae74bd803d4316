# tries: shut its control socket down by halves
# status: killed|timeout
# timeout: 700ms
socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_WR)
time.sleep(60)
