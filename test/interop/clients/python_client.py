"""Apache's Python library as a client: see README.md beside this file for what goes in and comes out."""
import os
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../gen/python"))
# The library itself uses what Python has declared obsolete.
warnings.simplefilter("ignore")

from thrift.protocol import TBinaryProtocol, TCompactProtocol, THeaderProtocol, TJSONProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport import THeaderTransport, THttpClient, TSocket, TSSLSocket, TTransport, TZlibTransport

from interop import Absent, AllTypes, Second, constants
from interop.ttypes import Busy, Choice, Colour, Defaults, Everything, Optionals, Point, Refused

PORT, UNIX_PATH, CA_FILE = sys.argv[1:]
SMALLEST = -(2**63)
EVERYTHING = constants.EVERYTHING


def sockets(socket):
    if socket == "tls":
        made = TSSLSocket.TSSLSocket("127.0.0.1", int(PORT), ca_certs=CA_FILE)
    elif socket == "unix":
        made = TSocket.TSocket(unix_socket=UNIX_PATH)
    else:
        made = TSocket.TSocket("127.0.0.1", int(PORT))
    # A server that does not answer is a failure, not a wait.
    made.setTimeout(20_000)
    return made


def http(socket):
    if socket == "tls":
        return THttpClient.THttpClient(f"https://127.0.0.1:{PORT}/any/path", cafile=CA_FILE)
    return THttpClient.THttpClient(f"http://127.0.0.1:{PORT}/any/path")


def header(subprotocol, *transforms):
    def create(transport):
        protocol = THeaderProtocol.THeaderProtocol(
            transport, (THeaderTransport.THeaderClientType.HEADERS,), subprotocol
        )
        for transform in transforms:
            protocol.add_transform(transform)
        return protocol

    return create


TRANSPORTS = {
    "buffered": lambda socket: TTransport.TBufferedTransport(sockets(socket)),
    "framed": lambda socket: TTransport.TFramedTransport(sockets(socket)),
    "zlib": lambda socket: TZlibTransport.TZlibTransport(sockets(socket)),
    "zlib-framed": lambda socket: TTransport.TFramedTransport(TZlibTransport.TZlibTransport(sockets(socket))),
    "http": http,
}
IDS = THeaderTransport.THeaderSubprotocolID
ZLIB = THeaderTransport.THeaderTransformID.ZLIB
PROTOCOLS = {
    "binary": TBinaryProtocol.TBinaryProtocol,
    "binary-old": lambda transport: TBinaryProtocol.TBinaryProtocol(transport, False, False),
    "binary-accelerated": lambda transport: TBinaryProtocol.TBinaryProtocolAccelerated(transport, fallback=False),
    "compact": TCompactProtocol.TCompactProtocol,
    "compact-accelerated": lambda transport: TCompactProtocol.TCompactProtocolAccelerated(transport, fallback=False),
    "json": TJSONProtocol.TJSONProtocol,
    "header-binary": header(IDS.BINARY),
    "header-compact": header(IDS.COMPACT),
    "header-binary-zlib": header(IDS.BINARY, ZLIB),
    "header-compact-zlib": header(IDS.COMPACT, ZLIB),
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
    return Everything(
        truth=False, tiny=0, small=0, medium=0, wide=0, real=0.0, text="", bytes=b"", colour=Colour.RED, wides=[],
        words=set(), byWide={}, byText={}, nested={}, sets=[], truths=[], reals=[], byColour={}, widesByName={},
        deep=[], point=Point(x=0), trees={}, colours=set(),
    )


def checks(protocol_name, protocol, cell):
    client = AllTypes.Client(protocol)

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
        equal(client.colour(Colour.BLUE), Colour.BLUE)

    def i64():
        for value in (2**63 - 1, SMALLEST, 2**53 + 1, 0, -1):
            equal(client.decimal(value), str(value))
        for form in ("bigint", "string", "Int64"):
            equal(client.extremes(form), [2**63 - 1, SMALLEST, 0, 2**53 + 1])
        equal(client.extremeKeys(), {2**63 - 1: 2**63 - 1, SMALLEST: SMALLEST})
        keys = ["-9223372036854775808", "9007199254740993", "9223372036854775807"]
        equal(client.keys({int(key): True for key in keys}), keys)

    def text():
        for value in (constants.TEXT, "", "ü" * 5000):
            equal(client.text(value), value)

    def everything():
        equal(client.everything(EVERYTHING), EVERYTHING)

    def empty():
        equal(client.empty(empty_everything()), empty_everything())

    def defaults():
        equal(client.defaults(Defaults()), Defaults())

    def optionals():
        equal(client.present(Optionals()), [])
        equal(client.optionals(Optionals()), Optionals())
        there = Optionals(
            truth=False, tiny=0, medium=0, wide=0, real=0.0, text="", bytes=b"", point=Point(x=0), words=[],
            pairs={-1: -2},
        )
        equal(client.present(there), sorted(vars(there)))
        equal(client.optionals(there), there)

    def union():
        choices = [Choice(wide=SMALLEST), Choice(text="ü"), Choice(point=Point(x=1)), Choice(bytes=b"\x00\xff")]
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
        equal(client.reversed(b""), b"")
        given = bytes(at * 7 % 256 for at in range(300_000))
        assert client.reversed(given) == given[::-1]

    def declared():
        equal(client.fail("no"), "no")
        refused = raised(Refused, client.fail, "refused")
        equal(refused, Refused("why nöt", Colour.BLUE, Point(-1, "here")))
        equal(raised(Busy, client.fail, "busy").untilMs, 2**53 + 1)

    def undeclared():
        equal(raised(TApplicationException, client.fail, "undeclared").type, TApplicationException.INTERNAL_ERROR)

    def unknown():
        error = raised(TApplicationException, Absent.Client(protocol).absent, 1)
        equal(error.type, TApplicationException.UNKNOWN_METHOD)

    def oneway():
        client.note(cell, "by " + cell)
        equal(client.noted(cell), "by " + cell)

    def multiplexed():
        equal(AllTypes.Client(TMultiplexedProtocol(protocol, "AllTypes")).everything(EVERYTHING), EVERYTHING)
        equal(Second.Client(TMultiplexedProtocol(protocol, "Second")).which(), "the second")
        nobody = Second.Client(TMultiplexedProtocol(protocol, "None"))
        equal(raised(TApplicationException, nobody.which).type, TApplicationException.UNKNOWN_METHOD)

    def headers():
        protocol.set_header(b"who", "pythön".encode())
        equal(client.header("who"), "pythön")
        equal(client.header("who"), "")

    made = [
        void, inherited, scalars, i64, text, everything, empty, defaults, optionals, union, recursive, large, declared,
        undeclared, unknown, oneway, multiplexed,
    ]
    return made + [headers] if protocol_name.startswith("header") else made


def run(cell):
    protocol_name, transport_name, socket = cell.split()
    transport = TRANSPORTS[transport_name](socket)
    protocol = PROTOCOLS[protocol_name](transport)
    # THeader's transport is made by its protocol.
    protocol.trans.open()
    for check in checks(protocol_name, protocol, cell):
        try:
            check()
            outcome = "ok"
        except Exception as error:
            outcome = f"failed: {type(error).__name__}: {str(error)[:300]}".replace("\n", " ")
        print(cell, check.__name__, outcome, sep="\t", flush=True)
    protocol.trans.close()


for line in sys.stdin:
    try:
        run(line.strip())
    except Exception as error:
        print(line.strip(), "open", f"failed: {type(error).__name__}: {error}", sep="\t", flush=True)
