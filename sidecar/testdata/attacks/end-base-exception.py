# tries: end with an exception that is no Exception
# status: error
class Odd(BaseException):
    pass
raise Odd('odd')
