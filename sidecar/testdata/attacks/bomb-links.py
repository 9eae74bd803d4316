# tries: link one file without end
# status: ok|killed|error
# timeout: 5s
open('f', 'w').close()
made = 0
try:
    while made < 200000:
        os.link('f', f'l{made}')
        made += 1
    escaped(f'{made} links')
except OSError:
    pass
done()
