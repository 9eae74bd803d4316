# tries: return a list that grows in its encoding
# status: error|memory_limit|timeout|killed
# timeout: 5s
one = 'x' * (1 << 20)
[one] * 100000
