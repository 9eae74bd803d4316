# tries: reach the runner's variables by its frames
# status: ok|error|killed
f = sys._getframe()
seen = []
while f is not None:
    seen.append(f.f_code.co_name)
    for name, value in list(f.f_locals.items()):
        text = repr(type(value))
        if 'Secret' in text or 'key' in name.lower() and 'keys' not in name:
            escaped(name)
    f = f.f_back
done()
