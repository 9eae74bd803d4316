# tries: exit with a huge number
# status: error
sys.exit(10 ** 5000 + 1)
