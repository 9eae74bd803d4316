# tries: put modules in place of others for the next execution
# status: ok
import types
for name in ('poison', 'csv', 'numpy', 'pandas', 'requests', 'decimal'):
    sys.modules[name] = types.ModuleType(name)
sys.path.insert(0, os.getcwd())
sys.meta_path.insert(0, None)
sys.path_hooks.insert(0, None)
sys.path_importer_cache.clear()
open('json.py', 'w').write('poison = 1')
open('sitecustomize.py', 'w').write('poison = 1')
done()
