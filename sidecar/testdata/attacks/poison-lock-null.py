# tries: let others see by a lock on /dev/null that it is here
# status: ok
# beside: the check runs while this does
import fcntl
with open('/dev/null', 'r+b', 0) as f:
    try:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 4711, 4711)
    except OSError:
        pass
    # The check looks for the lock while this one sleeps.
    print('locked', flush=True)
    time.sleep(0.3)
done()
