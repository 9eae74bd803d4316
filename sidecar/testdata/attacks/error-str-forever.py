# tries: raise what takes for ever to show
# status: timeout|error|killed
# timeout: 500ms
class E(Exception):
    def __str__(self):
        while True:
            time.sleep(0.01)
raise E
