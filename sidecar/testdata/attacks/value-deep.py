# tries: return what is nested without end
# status: error|killed
x = []
for _ in range(200000):
    x = [x]
x
