"""Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts."""
import os

os.chdir(os.path.join(os.path.dirname(__file__), "../../.."))
# recipe
import sys
import time

import thriftpy
from thriftpy.thrift import TApplicationException
from thriftpy.protocol import TCyBinaryProtocolFactory
from thriftpy.rpc import make_client
from thriftpy.transport import TCyFramedTransportFactory, TTransportException

ledger_thrift = thriftpy.load("idl/ledger.thrift", module_name="ledger_thrift")
client = None


def connect():
    return make_client(
        ledger_thrift.Ledger, "127.0.0.1", int(sys.argv[1]), timeout=10_000,
        proto_factory=TCyBinaryProtocolFactory(), trans_factory=TCyFramedTransportFactory(),
    )


def call(method, *arguments, repeatable):
    """Calls again what was never started, and, if it is repeatable, what may have been."""
    global client
    give_up = time.monotonic() + 10
    while True:
        sent = False
        try:
            client = client or connect()
            sent = True
            return getattr(client, method)(*arguments)
        except TApplicationException as error:
            safe, problem = "not started" in (error.message or ""), error
        except (TTransportException, OSError, EOFError) as error:
            safe, problem = not sent, error
        if not (safe or repeatable) or time.monotonic() > give_up:
            raise problem
        # Another server, or the next one, answers on a new connection.
        if client:
            client.close()
            client = None
        time.sleep(0.05)


# end of recipe
for line in sys.stdin:
    id, amount = line.split()
    entry = ledger_thrift.Entry(id=id, debit="cash", credit="rent", amount=int(amount))
    # Its id makes it repeatable: the ledger knows an entry that it has.
    print(call("post", entry, repeatable=True).seq, flush=True)
client.close()
