"""Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts."""
# recipe
import sys
import time

from ledger import Ledger
from ledger.ttypes import Entry
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TFramedTransport, TTransportException

socket = TSocket("127.0.0.1", int(sys.argv[1]))
socket.setTimeout(10_000)
transport = TFramedTransport(socket)
ledger = Ledger.Client(TBinaryProtocolAccelerated(transport))


def call(method, *arguments, repeatable):
    """Calls again what was never started, and, if it is repeatable, what may have been."""
    give_up = time.monotonic() + 10
    while True:
        sent = False
        try:
            # Says also whether the server has closed the connection while it was idle.
            if not transport.isOpen():
                transport.close()
                transport.open()
            sent = True
            return method(*arguments)
        except TApplicationException as error:
            safe, problem = "not started" in (error.message or ""), error
        except (TTransportException, OSError) as error:
            safe, problem = not sent, error
        if not (safe or repeatable) or time.monotonic() > give_up:
            raise problem
        # Another server, or the next one, answers on a new connection.
        transport.close()
        time.sleep(0.05)


# end of recipe
for line in sys.stdin:
    id, amount = line.split()
    # Its id makes it repeatable: the ledger knows an entry that it has.
    receipt = call(ledger.post, Entry(id, "cash", "rent", int(amount)), repeatable=True)
    print(receipt.seq, flush=True)
transport.close()
