"""Posts until a file says stop, with Apache Thrift's own library and nothing around it but what its mode says.

Arguments: PORT persistent|per-call PREFIX STOP-FILE
  persistent  one connection; a post on a lost one is repeated once, on a new connection
  per-call    a connection for each post; nothing is repeated
Prints the receipts by id, the errors, and when each post began and how long it took, in seconds.
"""
import json
import os
import sys
import time

from ledger import Ledger
from ledger.ttypes import Entry
from thrift.protocol import TBinaryProtocol
from thrift.transport import TSocket, TTransport

port, mode, prefix, stop_file = sys.argv[1:]
receipts, errors, times = {}, [], []
retries = 0
transport = ledger = None


def connect():
    global transport, ledger
    socket = TSocket.TSocket("127.0.0.1", int(port))
    socket.setTimeout(20_000)
    transport = TTransport.TFramedTransport(socket)
    transport.open()
    ledger = Ledger.Client(TBinaryProtocol.TBinaryProtocol(transport))


def post(id):
    global retries
    entry = Entry(id=id, debit=prefix + "a", credit=prefix + "b", amount=1)
    if mode == "per-call":
        connect()
        try:
            return ledger.post(entry)
        finally:
            transport.close()
    try:
        return ledger.post(entry)
    except (TTransport.TTransportException, OSError):
        retries += 1
        transport.close()
        connect()
        return ledger.post(entry)


if mode == "persistent":
    connect()
number = 0
while not os.path.exists(stop_file):
    number += 1
    id = "%s-%d" % (prefix, number)
    began = time.time()
    try:
        receipts[id] = post(id).seq
    except Exception as error:
        errors.append("%s: %r" % (id, error))
    times.append((began, time.time() - began))
    time.sleep(0.008)
json.dump({"receipts": receipts, "errors": errors, "retries": retries, "times": times}, sys.stdout)
