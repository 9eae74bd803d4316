# tries: leave without a word
# status: error
os._exit(0)
