# tries: leave a process behind that outlives the run
# status: ok
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
fails('daemon', daemon)
fails('detached', lambda: os.posix_spawn('/bin/sleep', ['sleep', '1000'], {}, setsid=True))
done()
