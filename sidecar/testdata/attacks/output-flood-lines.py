# tries: print single bytes, each on its own
# status: output_limit|timeout
# timeout: 1s
while True:
    os.write(1, b'\n')
