# tries: go on in atexit, again and again
# status: timeout
# timeout: 500ms
import atexit
def again():
    atexit.register(again)
    while True:
        time.sleep(0.01)
atexit.register(again)
done()
