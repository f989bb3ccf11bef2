"""Calls fb303's base methods and prints what came back. Arguments: PORT framed|unframed plain|multiplexed."""
import json
import sys
import time

from connection import connect
from fb303 import FacebookService
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol

port, transport, naming = sys.argv[1:]
connection, protocol = connect(port, transport)
fb303 = FacebookService.Client(TMultiplexedProtocol(protocol, "fb303") if naming == "multiplexed" else protocol)

result = {}
result["name"] = fb303.getName()
result["version"] = fb303.getVersion()
result["status"] = fb303.getStatus()
result["details"] = fb303.getStatusDetails()
result["age"] = time.time() - fb303.aliveSince()
counters = fb303.getCounters()
result["counters"] = sorted(counters)
result["counter"] = fb303.getCounter("received") - counters["received"]
result["noCounter"] = fb303.getCounter("nothing of that name")
fb303.setOption("colour", "grün")
result["option"] = fb303.getOption("colour")
result["options"] = fb303.getOptions()
result["profile"] = fb303.getCpuProfile(1)
fb303.reinitialize()
# Ignored unless it is switched on: the server goes on.
fb303.shutdown()
result["afterShutdown"] = fb303.getStatus()
connection.close()
print(json.dumps(result))
