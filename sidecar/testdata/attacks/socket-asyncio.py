# tries: listen and connect by asyncio and multiprocessing
# status: ok
import asyncio, multiprocessing.connection
async def go():
    for act in (lambda: asyncio.start_server(print, '127.0.0.1', 0), lambda: asyncio.open_connection('127.0.0.1', canary_tcp),
                lambda: asyncio.start_unix_server(print, 'sock'), lambda: asyncio.open_unix_connection(canary_socket),
                lambda: asyncio.create_subprocess_exec('/bin/true'), lambda: asyncio.create_subprocess_shell('true')):
        try:
            got = await asyncio.wait_for(act(), 1)
        except (OSError, asyncio.TimeoutError, NotImplementedError, RuntimeError):
            continue
        if getattr(got, 'sockets', True):  # a server may come without any
            escaped(got)
await go()
fails('listener', multiprocessing.connection.Listener)
fails('client', multiprocessing.connection.Client, canary_socket)
fails('abstract', multiprocessing.connection.Client, '\0' + canary_abstract)
done()
