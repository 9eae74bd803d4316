# tries: numbers whose digits take ages
# status: timeout|error|memory_limit
# timeout: 1s
sys.set_int_max_str_digits(0)
str(7 ** 30_000_000)
