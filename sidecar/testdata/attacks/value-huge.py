# tries: return more than a result may be
# status: error|memory_limit|timeout
# timeout: 5s
'x' * (100 << 20)
