"""thriftpy as a client: see README.md beside this file for what goes in and comes out."""
import os
import sys

import thriftpy
from thriftpy.protocol import TBinaryProtocol, TCyBinaryProtocol, TMultiplexedProtocol
from thriftpy.thrift import TApplicationException, TClient
from thriftpy.transport import TBufferedTransport, TFramedTransport, TSocket, TSSLSocket
from thriftpy.transport import TCyBufferedTransport, TCyFramedTransport

PORT, UNIX_PATH, CA_FILE = sys.argv[1:]
interop = thriftpy.load(
    os.path.join(os.path.dirname(__file__), "../../idl/interop.thrift"), module_name="interop_thrift"
)
SMALLEST = -(2**63)
Point, Choice, Tree = interop.Point, interop.Choice, interop.Tree

# The library leaves structs within containers of a constant as they are written.
EVERYTHING = interop.EVERYTHING
EVERYTHING.byText = {key: [Point(**point) for point in points] for key, points in EVERYTHING.byText.items()}
EVERYTHING.trees = {1: Tree(value=1, children=[Tree(value=2, children=[])])}


def sockets(socket):
    if socket == "tls":
        # It checks names of certificates, and has none for an address.
        return TSSLSocket("localhost", int(PORT), cafile=CA_FILE, socket_timeout=20_000)
    if socket == "unix":
        return TSocket(unix_socket=UNIX_PATH, socket_timeout=20_000)
    return TSocket("127.0.0.1", int(PORT), socket_timeout=20_000)


TRANSPORTS = {"buffered": TBufferedTransport, "framed": TFramedTransport}
CYTHON_TRANSPORTS = {"buffered": TCyBufferedTransport, "framed": TCyFramedTransport}
PROTOCOLS = {
    "binary": TBinaryProtocol,
    "binary-old": lambda transport: TBinaryProtocol(transport, strict_read=False, strict_write=False),
    "binary-cython": TCyBinaryProtocol,
}


def equal(got, wanted):
    assert got == wanted, f"{str(got)[:200]} is not {str(wanted)[:200]}"


def raised(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def empty_everything():
    return interop.Everything(
        truth=False, tiny=0, small=0, medium=0, wide=0, real=0.0, text="", bytes="", colour=1, wides=[], words=set(),
        byWide={}, byText={}, nested={}, sets=[], truths=[], reals=[], byColour={}, widesByName={}, deep=[],
        point=Point(x=0), trees={}, colours=set(),
    )


def with_sets(everything):
    """The library reads sets as lists."""
    everything.sets = [set(numbers) for numbers in everything.sets]
    everything.words, everything.colours = set(everything.words), set(everything.colours)
    return everything


def checks(protocol, cell):
    client = TClient(interop.AllTypes, protocol)

    def void():
        equal(client.nothing(), None)

    def inherited():
        equal(client.inherited("ü"), "ü")

    def scalars():
        for value in (-128, 127, 0):
            equal(client.tiny(value), value)
        for value in (-32768, 32767):
            equal(client.small(value), value)
        for value in (-(2**31), 2**31 - 1):
            equal(client.medium(value), value)
        for value in (-0.1, 5e-324, 1.7976931348623157e308):
            equal(client.real(value), value)
        for value in (True, False):
            equal(client.truth(value), value)
        equal(client.colour(interop.Colour.BLUE), 300)

    def i64():
        for value in (2**63 - 1, SMALLEST, 2**53 + 1, 0, -1):
            equal(client.decimal(value), str(value))
        for form in ("bigint", "string", "Int64"):
            equal(client.extremes(form), [2**63 - 1, SMALLEST, 0, 2**53 + 1])
        equal(client.extremeKeys(), {2**63 - 1: 2**63 - 1, SMALLEST: SMALLEST})
        keys = ["-9223372036854775808", "9007199254740993", "9223372036854775807"]
        equal(client.keys({int(key): True for key in keys}), keys)

    def text():
        for value in (interop.TEXT, "", "ü" * 5000):
            equal(client.text(value), value)

    def everything():
        equal(with_sets(client.everything(EVERYTHING)), with_sets(EVERYTHING))

    def empty():
        equal(with_sets(client.empty(empty_everything())), empty_everything())

    def defaults():
        equal(client.defaults(interop.Defaults()), interop.Defaults())

    def optionals():
        equal(client.present(interop.Optionals()), [])
        equal(client.optionals(interop.Optionals()), interop.Optionals())
        there = interop.Optionals(
            truth=False, tiny=0, medium=0, wide=0, real=0.0, text="", bytes="", point=Point(x=0), words=[],
            pairs={-1: -2},
        )
        equal(client.present(there), sorted(vars(there)))
        equal(client.optionals(there), there)

    def union():
        choices = [Choice(wide=SMALLEST), Choice(text="ü"), Choice(point=Point(x=1)), Choice(bytes="bytes")]
        for choice in choices + [Choice(choices=choices)]:
            equal(client.choose(choice), choice)

    def recursive():
        tree = client.tree(20)
        equal(client.sum(tree), 1)
        depth, at = 1, tree
        while at.children:
            depth, at = depth + 1, at.children[0]
        equal(depth, 20)

    def large():
        equal(client.reversed(""), "")
        # What is no UTF-8 the library gives as bytes, all else as text.
        given = bytes(at * 7 % 256 for at in range(300_000))
        assert client.reversed(given) == given[::-1]

    def declared():
        equal(client.fail("no"), "no")
        refused = raised(interop.Refused, client.fail, "refused")
        equal(vars(refused), {"why": "why nöt", "colour": 300, "point": Point(-1, "here")})
        equal(raised(interop.Busy, client.fail, "busy").untilMs, 2**53 + 1)

    def undeclared():
        equal(raised(TApplicationException, client.fail, "undeclared").type, TApplicationException.INTERNAL_ERROR)

    def unknown():
        error = raised(TApplicationException, TClient(interop.Absent, protocol).absent, 1)
        equal(error.type, TApplicationException.UNKNOWN_METHOD)

    def oneway():
        client.note(cell, "by " + cell)
        equal(client.noted(cell), "by " + cell)

    def multiplexed():
        named = lambda service, name: TClient(service, TMultiplexedProtocol(protocol, name))
        equal(with_sets(named(interop.AllTypes, "AllTypes").everything(EVERYTHING)), with_sets(EVERYTHING))
        equal(named(interop.Second, "Second").which(), "the second")
        error = raised(TApplicationException, named(interop.Second, "None").which)
        equal(error.type, TApplicationException.UNKNOWN_METHOD)

    return [
        void, inherited, scalars, i64, text, everything, empty, defaults, optionals, union, recursive, large, declared,
        undeclared, unknown, oneway, multiplexed,
    ]


def run(cell):
    protocol_name, transport_name, socket = cell.split()
    transports = CYTHON_TRANSPORTS if protocol_name.endswith("cython") else TRANSPORTS
    transport = transports[transport_name](sockets(socket))
    protocol = PROTOCOLS[protocol_name](transport)
    transport.open()
    for check in checks(protocol, cell):
        try:
            check()
            outcome = "ok"
        except Exception as error:
            outcome = f"failed: {type(error).__name__}: {str(error)[:300]}".replace("\n", " ")
        print(cell, check.__name__, outcome, sep="\t", flush=True)
    transport.close()


for line in sys.stdin:
    try:
        run(line.strip())
    except Exception as error:
        print(line.strip(), "open", f"failed: {type(error).__name__}: {error}", sep="\t", flush=True)
