# tries: stop the runner by audit hooks
# status: ok|error|killed|timeout
# timeout: 1s
print('HELD', flush=True)
def hook(*_):
    raise SystemExit(0)
sys.addaudithook(hook)
