# tries: print without end
# status: output_limit
while True:
    print('x' * 1000)
