# tries: abort
# status: killed
os.abort()
