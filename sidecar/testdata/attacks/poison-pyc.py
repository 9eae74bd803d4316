# tries: leave compiled code where the next execution loads it
# status: ok
import importlib.util
for name in ('json', 'csv', 'asyncio', 'decimal', 'statistics', 'colorsys'):
    found = importlib.util.find_spec(name)
    for path in filter(None, (found.cached, found.origin)):
        fails(path, open, path, 'wb')
        fails(path, os.replace, __file__ if os.path.exists(__file__) else 'x', path)
        fails(path, os.makedirs, os.path.dirname(path) + '/__pycache__/x')
sys.pycache_prefix = os.getcwd()
os.environ['PYTHONPATH'] = os.environ['PYTHONPYCACHEPREFIX'] = os.getcwd()
done()
