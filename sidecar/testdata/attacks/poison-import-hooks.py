# tries: leave import hooks, codecs, copyreg entries, warnings and gc callbacks for the next
# status: ok
import codecs, copyreg, gc, importlib, site, warnings, linecache, encodings
class Poison:
    def find_spec(self, *args):
        print('ESCAPED: asked for', args)
sys.meta_path.insert(0, Poison())
sys.path_hooks.insert(0, lambda path: Poison())
sys.path_importer_cache.clear()
codecs.register(lambda name: None)
copyreg.dispatch_table[int] = print
gc.callbacks.append(lambda *_: None)
encodings._cache.clear()
sys.meta_path.pop(0)
sys.path_hooks.pop(0)
for path in (site.getusersitepackages() if site.ENABLE_USER_SITE else '/x', sys.prefix, os.path.dirname(os.__file__)):
    fails(path, open, path + '/sitecustomize.py', 'w')
done()
