# tries: print what is no text, half characters, NUL and terminal codes
# status: ok
os.write(1, b'\xff\xfe\x00\xc3' + b'\xed\xa0\x80' + b'\x1b]0;title\x07\x1b[2J')
os.write(2, b'\xf0\x9f\x98')
print('\ud800', '\0', file=sys.stderr)
done()
