# tries: act in destructors while the interpreter is taken down
# status: ok
class Late:
    def __del__(self, print=print, open=open):
        open('late', 'w').write('x')
        print('late', flush=True)
sys.late = Late()
import builtins
builtins.late = Late()
done()
