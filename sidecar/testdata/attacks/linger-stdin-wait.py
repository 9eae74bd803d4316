# tries: wait for input that never comes, and for the outputs to be read
# status: ok|error|timeout
# timeout: 1s
try:
    input()
except EOFError:
    pass
sys.stdin.buffer.read()
done()
