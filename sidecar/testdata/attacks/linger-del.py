# tries: never come out of a destructor
# status: ok|timeout
# timeout: 500ms
class Never:
    def __del__(self):
        while True:
            time.sleep(0.01)
done()
never = Never()
sys.never = never
del never, sys.never
