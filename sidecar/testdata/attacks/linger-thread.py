# tries: leave a thread behind that goes on after the end
# status: ok
def go_on():
    while True:
        try:
            open('after', 'a').write('x')
        except OSError:
            pass
for _ in range(3):
    threading.Thread(target=go_on, daemon=True).start()
done()
