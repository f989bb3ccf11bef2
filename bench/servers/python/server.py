"""Apache's TThreadedServer for Python with framed transport: one thread per connection.

Usage: server.py GENERATED_CODE PORT binary|compact
"""

import logging
import sys
import time

sys.path.insert(0, sys.argv[1])

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory, TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolAcceleratedFactory, TCompactProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TFramedTransportFactory

from bench import Bench

try:
    from thrift.protocol import fastbinary  # noqa: F401

    FACTORIES = {"binary": TBinaryProtocolAcceleratedFactory, "compact": TCompactProtocolAcceleratedFactory}
except ImportError:
    FACTORIES = {"binary": TBinaryProtocolFactory, "compact": TCompactProtocolFactory}


class Handler:
    def ping(self):
        pass

    def echo(self, item):
        return item

    def blob(self, data):
        return data

    def burn(self, ms):
        end = time.thread_time() + ms / 1000
        total = 0.0
        while time.thread_time() < end:
            for i in range(100):
                total += i * 0.5
        return ms


class ListeningSocket(TServerSocket):
    def listen(self):
        super().listen()
        print('{"msg":"listening","port":%d}' % self.handle.getsockname()[1], flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    TThreadedServer(
        Bench.Processor(Handler()),
        ListeningSocket(host="127.0.0.1", port=int(sys.argv[2])),
        TFramedTransportFactory(),
        FACTORIES[sys.argv[3]](),
        daemon=True,
    ).serve()
