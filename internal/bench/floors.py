"""The floors: what a fork costs in a warm CPython, and a round trip on a socket."""

import gc
import importlib
import json
import os
import socket
import sys
import time

what, count, modules = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")


def fork_run_wait():
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        exec(compile("1+1", "program", "exec"), {})
        os._exit(0)
    os.waitpid(pid, 0)
    return time.perf_counter() - begun


if what == "fork":
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for _ in range(20):
        fork_run_wait()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    print(json.dumps([fork_run_wait() for _ in range(count)]))
elif what == "call":
    channel = socket.socket(fileno=3)
    message, took = bytes(64), []
    for _ in range(count):
        begun = time.perf_counter()
        channel.send(message)
        channel.recv(4096)
        took.append(time.perf_counter() - begun)
    print(json.dumps(took))
elif what == "start":
    pass
else:
    channel = socket.socket(fileno=3)
    while data := channel.recv(4096):
        channel.sendall(data)
