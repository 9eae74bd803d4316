# tries: raise with a message that fits nowhere
# status: error
raise ValueError('x' * (50 << 20))
