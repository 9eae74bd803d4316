# tries: start threads while the interpreter ends, from every hook that there is
# status: ok|error|timeout|killed
# timeout: 2s
import atexit, weakref
class Last:
    def __del__(self, start=threading.Thread, sleep=time.sleep):
        start(target=sleep, args=(30,)).start()
keep = Last()
sys.keep = Last()
atexit.register(lambda: threading.Thread(target=time.sleep, args=(30,)).start())
weakref.finalize(Last, time.sleep, 30)
done()
