# tries: return half characters as values and as keys
# status: error
{'\ud800': ['\udfff', {'a': '\ud83d'}]}
