# tries: change the environment and the directory of the next execution
# status: ok
for name in ('PATH', 'HOME', 'LD_PRELOAD', 'PYTHONPATH', 'poison'):
    os.environ[name] = 'poison'
    libc.setenv(name.encode(), b'poison', 1)
os.chdir('/')
os.umask(0)
time.tzset()
import locale
try:
    locale.setlocale(locale.LC_ALL, 'C')
except locale.Error:
    pass
done()
