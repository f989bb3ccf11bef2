"""Plays systemd's side of socket activation: holds listening sockets and starts the command on them, as often as asked.

Usage: socket_holder.py KIND… -- COMMAND…     KIND is tcp or the path of a Unix domain socket, with a
name before it, as in admin=tcp, if it has one
Prints one line of JSON with the addresses, then starts the command for each line that it reads, and stops the one that
runs with SIGTERM before. Ends with its input.
"""
import json
import os
import signal
import socket
import sys

split = sys.argv.index("--")
kinds, command = sys.argv[1:split], sys.argv[split + 1 :]
listeners, names = [], []
for named in kinds:
    name, _, kind = named.rpartition("=")
    names.append(name or "unknown")
    if kind == "tcp":
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(kind)
        listener.listen(1024)
    listeners.append(listener)
print(json.dumps({"addresses": [listener.getsockname() for listener in listeners]}), flush=True)


def start():
    pid = os.fork()
    if pid:
        return pid
    # High first, so that none overwrites another.
    high = [os.dup2(listener.fileno(), 100 + at) for at, listener in enumerate(listeners)]
    for at, descriptor in enumerate(high):
        os.dup2(descriptor, 3 + at)
        os.close(descriptor)
    os.environ.update(LISTEN_FDS=str(len(listeners)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=":".join(names))
    os.execvp(command[0], command)


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), file=sys.stderr, flush=True)


running = None
for _ in sys.stdin:
    if running is not None:
        stop(running)
    running = start()
if running is not None:
    stop(running)
