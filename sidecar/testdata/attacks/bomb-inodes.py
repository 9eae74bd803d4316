# tries: make files without end
# status: ok|killed
# timeout: 5s
made = 0
try:
    while made < 200000:
        os.close(os.open(f'f{made}', os.O_CREAT | os.O_WRONLY))
        made += 1
    escaped(f'{made} files')
except OSError:
    pass
done()
