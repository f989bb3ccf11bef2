"""Apache's TThreadedServer for Python, serving test/idl/probe.thrift: PORT framed|unframed binary|compact|json."""
import logging
import sys
import time

from probe import Probe
from probe.ttypes import Declared
from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.protocol.TJSONProtocol import TJSONProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TBufferedTransportFactory, TFramedTransportFactory


class Handler:
    def add(self, a, b):
        return a + b

    def echo(self, text):
        return text

    def sleep(self, ms):
        time.sleep(ms / 1000)
        return ms

    def note(self, id):
        pass

    def fail(self, how):
        if how == "declared":
            raise Declared("as declared")
        raise RuntimeError("inner text")


class ListeningSocket(TServerSocket):
    def listen(self):
        super().listen()
        print(self.handle.getsockname()[1], flush=True)


logging.basicConfig(level=logging.CRITICAL)
TThreadedServer(
    Probe.Processor(Handler()),
    ListeningSocket(host="127.0.0.1", port=int(sys.argv[1])),
    {"framed": TFramedTransportFactory, "unframed": TBufferedTransportFactory}[sys.argv[2]](),
    {"binary": TBinaryProtocolFactory, "compact": TCompactProtocolFactory, "json": TJSONProtocolFactory}[sys.argv[3]](),
    daemon=True,
).serve()
