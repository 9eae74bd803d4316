# tries: compute on all processors
# status: timeout
# timeout: 500ms
import hashlib
def burn():
    data = b'x' * (1 << 20)
    while True:
        hashlib.sha256(data)
for _ in range(8):
    threading.Thread(target=burn, daemon=True).start()
burn()
