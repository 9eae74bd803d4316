# tries: have its last words block
# status: ok|timeout|output_limit
# timeout: 700ms
os.set_blocking(1, True)
done()
sys.stdout.write('y' * 500000)
