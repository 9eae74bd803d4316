# tries: register one more function each time one is called
# status: ok|timeout|error
# timeout: 700ms
import atexit
def again():
    atexit.register(again)
atexit.register(again)
done()
