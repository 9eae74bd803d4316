# tries: compute without end outside the interpreter
# status: timeout
# timeout: 500ms
10 ** 10 ** 10
