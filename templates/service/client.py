"""Calls the service from Python. Needs gen-py (thrift --gen py idl/service_name.thrift) and Debian's python3-thrift,
or pip's thrift."""
import os
import sys

sys.path.insert(0, "gen-py")
from service_name import ServiceName
from thrift.protocol import TBinaryProtocol
from thrift.transport import TSocket, TTransport

transport = TTransport.TFramedTransport(TSocket.TSocket("127.0.0.1", int(os.environ.get("SLUICE_PORT", "9090"))))
transport.open()
client = ServiceName.Client(TBinaryProtocol.TBinaryProtocol(transport))
print(client.add(1, 2))
transport.close()
