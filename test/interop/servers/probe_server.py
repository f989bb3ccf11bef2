"""Apache's TThreadedServer for Python, serving test/idl/probe.thrift: PORT framed|unframed|header binary|compact|json,
or PORT http binary|compact|json, by its THttpServer, which has one connection at a time."""
import logging
import sys
import time

from probe import Probe
from probe.ttypes import Declared
from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.protocol.THeaderProtocol import THeaderProtocolFactory
from thrift.protocol.TJSONProtocol import TJSONProtocolFactory
from thrift.server.THttpServer import THttpServer
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
port, transport = int(sys.argv[1]), sys.argv[2]
protocols = {"binary": TBinaryProtocolFactory, "compact": TCompactProtocolFactory, "json": TJSONProtocolFactory}
protocol = THeaderProtocolFactory() if transport == "header" else protocols[sys.argv[3]]()
processor = Probe.Processor(Handler())
if transport == "http":
    server = THttpServer(processor, ("127.0.0.1", port), protocol)
    print(server.httpd.server_port, flush=True)
else:
    wrap = TFramedTransportFactory if transport == "framed" else TBufferedTransportFactory
    server = TThreadedServer(
        processor, ListeningSocket(host="127.0.0.1", port=port), wrap(), protocol, daemon=True
    )
server.serve()
