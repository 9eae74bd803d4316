# tries: raise with a message that is no text
# status: error
raise ValueError('\ud800\0\x1b[2J')
