# tries: exchange its streams and its control socket
# status: ok|killed|error
print('HELD', flush=True)
os.dup2(3, 1)
print('{"status":"ok"}' * 100, flush=True)
