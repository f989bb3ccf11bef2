"""Plays systemd's side of the notify protocol: prints each datagram as a line of JSON, in the order of arrival."""
import array
import json
import os
import socket
import sys
import time

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
print(json.dumps({"bound": True}), flush=True)
while True:
    data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(16 * array.array("i").itemsize))
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            # A barrier is answered by closing what came with it.
            for descriptor in array.array("i", content):
                os.close(descriptor)
    text = data.decode()
    if text != "BARRIER=1":
        print(json.dumps({"lines": text.split("\n"), "at": time.monotonic() * 1000}), flush=True)
