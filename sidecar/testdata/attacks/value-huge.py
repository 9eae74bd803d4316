# tries: return more than a result may be
# status: error|memory_limit
# timeout: 30s
# It encodes all of the text, and is refused after that (0.6 s of a processor).
'x' * (100 << 20)
