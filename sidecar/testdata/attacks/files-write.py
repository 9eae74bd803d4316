# tries: write outside its directory
# status: ok
import sysconfig
library = os.path.dirname(os.__file__)
for path in ('/x', '/etc/x', '/usr/x', '/usr/lib/x', '/bin/x', '/dev/x', '/var/x', '/home/x', '/dev/shm/x', '/run/x', '/opt/x',
             library + '/x.py', library + '/__pycache__/x.pyc', library + '/site-packages/x.pth',
             sysconfig.get_path('purelib') + '/sitecustomize.py', (sys.executable or '/usr/bin/python') + 'x', '/proc/x', '/sys/x'):
    fails(path, open, path, 'w')
    fails(path, os.mkdir, path)
    fails(path, os.symlink, '/etc/passwd', path)
    fails(path, os.mkfifo, path)
done()
