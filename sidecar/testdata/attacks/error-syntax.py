# tries: raise a syntax error that lies about its place
# status: error
e = SyntaxError('x', ('program.py', -5, 10 ** 9, 'text' * 100000, 10 ** 9, -7))
e.lineno, e.text, e.filename = 10 ** 30, 5, b'\xff'
raise e
