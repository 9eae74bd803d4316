# tries: make a process that borrows its memory
# status: ok
refused('vfork')
done()
