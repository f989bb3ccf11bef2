"""Connects as the command line says: PORT and "framed" or "unframed"."""
from thrift.protocol import TBinaryProtocol
from thrift.transport import TSocket, TTransport


def connect(port, transport):
    socket = TSocket.TSocket("127.0.0.1", int(port))
    # A server that does not answer is a failure, not a wait.
    socket.setTimeout(10_000)
    wrap = {"framed": TTransport.TFramedTransport, "unframed": TTransport.TBufferedTransport}[transport]
    connection = wrap(socket)
    connection.open()
    return connection, TBinaryProtocol.TBinaryProtocol(connection)
