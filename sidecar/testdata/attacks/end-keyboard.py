# tries: end as if a person had interrupted it
# status: error
raise KeyboardInterrupt
