"""Uses every method of the ledger and prints what came back. Arguments: PORT framed|unframed PREFIX."""
import json
import sys

from connection import connect
from ledger import Ledger
from ledger.ttypes import Entry, InvalidEntry
from probe import Probe
from thrift.Thrift import TApplicationException

port, transport, prefix = sys.argv[1:]
connection, protocol = connect(port, transport)
ledger = Ledger.Client(protocol)
cash, rent = prefix + "cash", prefix + "rent"


def entry(id, debit=cash, credit=rent, amount=100, memo=None):
    return Entry(id=prefix + id if id else id, debit=debit, credit=credit, amount=amount, memo=memo)


def receipt(got):
    return {"seq": got.seq, "duplicate": got.duplicate}


def refusal(*entries):
    try:
        ledger.post(*entries) if len(entries) == 1 else ledger.postAll(list(entries))
    except InvalidEntry as invalid:
        return {"id": invalid.id, "message": invalid.message}
    return None


def unknown(method, *arguments):
    try:
        getattr(Probe.Client(protocol), method)(*arguments)
    except TApplicationException as error:
        return {"type": error.type, "message": error.message}
    return None


result = {}
result["ping"] = ledger.ping()
result["first"] = receipt(ledger.post(entry("1", amount=1200, memo="Miete für März")))
result["again"] = receipt(ledger.post(entry("1", amount=1200, memo="Miete für März")))
result["several"] = [receipt(got) for got in ledger.postAll([entry("2"), entry("3", rent, cash, 5)])]
result["invalid"] = {
    "empty id": refusal(entry("")),
    "empty debit": refusal(entry("a", debit="")),
    "empty credit": refusal(entry("b", credit="")),
    "equal accounts": refusal(entry("c", debit=rent)),
    "amount 0": refusal(entry("d", amount=0)),
    "amount below 0": refusal(entry("e", amount=-1)),
    "other content": refusal(entry("1", amount=1201, memo="Miete für März")),
    "one of several": refusal(entry("f"), entry("g", amount=0)),
}
result["balances"] = {"cash": ledger.balance(cash), "rent": ledger.balance(rent), "none": ledger.balance(prefix)}
result["entries"] = [
    [got.id, got.debit, got.credit, got.amount, got.memo] for got in ledger.entries(rent, 0, 10)
]
for delta in (3, 4):
    ledger.track(prefix + "seen", delta)
result["counter"] = ledger.counters().get(prefix + "seen")
result["audit"] = ledger.audit().ok
# A method that the server does not have, then again one that it has, on the same connection.
result["unknown"] = unknown("add", 1, 2)
result["after"] = ledger.balance(rent)
connection.close()
print(json.dumps(result))
