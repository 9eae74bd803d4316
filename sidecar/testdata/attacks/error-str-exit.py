# tries: raise what leaves when it is shown
# status: error
class E(Exception):
    def __str__(self):
        os._exit(0)
raise E
