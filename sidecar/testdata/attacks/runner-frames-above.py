# tries: walk up the frames of the runner and take its channel and limits
# status: ok|error|killed
frame = sys._getframe()
found = []
while frame:
    found.append((frame.f_code.co_name, sorted(frame.f_locals)[:20]))
    frame = frame.f_back
text = str(found)
for word in ('api_key', 'token', 'secret', canary_text):
    if word in text.lower():
        escaped(f'{word} in {text[:200]}')
done()
