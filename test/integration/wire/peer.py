"""
A client of the service in test/idl/kinds.thrift that speaks every protocol and transport of Apache's Python
library, all at the same time on one port. Prints a line for each that gets the right answers; ends with 1 at the
first wrong one.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../gen/python"))

from thrift.protocol import TBinaryProtocol, TCompactProtocol, THeaderProtocol, TJSONProtocol, TMultiplexedProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport import THeaderTransport, TSocket, TTransport, TZlibTransport

from kinds import Echo
from kinds.ttypes import Colour, Kinds, Point, Refused

LARGEST = 2**63 - 1
SMALLEST = -(2**63)


def everything():
    # The library writes NaN and the infinities as JSON that it can't read itself: they are tested elsewhere.
    leaf = Kinds(
        truth=True,
        tiny=-128,
        small=-32768,
        medium=-(2**31),
        wide=SMALLEST,
        real=-1.5e300,
        text='quotes " and \\ and / and \n\t, ü, 𝄞, [{]},: ',
        bytes=bytes(range(256)),
        colour=Colour.GREEN,
        wides=[LARGEST, SMALLEST, 0, -1, 2**53 + 1, -(2**53) - 1],
        words={"a", "", "ü" * 200},
        byWide={LARGEST: "largest", SMALLEST: "smallest", 2**53 + 1: "odd", 5: "five"},
        byText={"": [], "k:": [Point(1, "one"), Point(-2)]},
        nested={7: {-3: True, 4: False}, 8: {}},
        byTruth={True: 1, False: 0},
        byReal={0.5: LARGEST, -2.25: 3},
        wideSet={LARGEST, SMALLEST},
        truths=[True, False, True],
        reals=[0.1, 1e-300, 5e-324, 1.7976931348623157e308, 12345678.9],
        byColour={Colour.RED: Point(3)},
    )
    return Kinds(children=[leaf, Kinds(), Kinds(children=[Kinds(text="deep")])], wide=LARGEST)


def check(client, name):
    assert client.kinds(everything()) == everything()
    assert client.kinds(Kinds()) == Kinds()
    for form in ("bigint", "string", "Int64", "number"):
        largest = 2**63 - 1024 if form == "number" else LARGEST
        got = client.extremes(form)
        assert got.wide == largest, (form, got)
        assert got.wides == [largest, SMALLEST], (form, got)
        assert got.wideSet == {largest, SMALLEST}, (form, got)
        assert got.byWide == {LARGEST: str(LARGEST), SMALLEST: str(SMALLEST)}, (form, got)
        assert got.byReal == {0.5: SMALLEST}, (form, got)
    assert sorted(client.keys({LARGEST: 1, SMALLEST: 2, 7: 3})) == sorted([str(LARGEST), str(SMALLEST), "7"])
    assert len(client.blob(0)) == 0
    # The library's accelerated protocols lose what its zlib transport has read beyond 4096 bytes; its JSON is slow.
    size = 2_000 if "accelerated zlib" in name else 10_000 if "json" in name else 700_000
    large = client.blob(size)
    assert large == (b"sluice " * 100_000)[:size]
    assert client.kinds(Kinds(bytes=large)).bytes == large
    client.nothing()
    try:
        client.refuse("why not")
        raise AssertionError("not refused")
    except Refused as refused:
        assert refused.why == "why not"
    client.note("by " + name)
    assert client.noted() == "by " + name


def unknown(protocol):
    """Calls what is not there; the type must come through."""
    protocol.writeMessageBegin("absent", TMessageType.CALL, 3)
    Echo.nothing_args().write(protocol)
    protocol.writeMessageEnd()
    protocol.trans.flush()
    (_, kind, seqid) = protocol.readMessageBegin()
    assert kind == TMessageType.EXCEPTION and seqid == 3
    error = TApplicationException()
    error.read(protocol)
    protocol.readMessageEnd()
    assert error.type == TApplicationException.UNKNOWN_METHOD, error.type


TRANSPORTS = {
    "buffered": TTransport.TBufferedTransport,
    "framed": TTransport.TFramedTransport,
    "zlib": TZlibTransport.TZlibTransport,
    "zlib-framed": lambda trans: TTransport.TFramedTransport(TZlibTransport.TZlibTransport(trans)),
}
PROTOCOLS = {
    "binary": TBinaryProtocol.TBinaryProtocol,
    "binary-old": lambda trans: TBinaryProtocol.TBinaryProtocol(trans, strictRead=False, strictWrite=False),
    "binary-accelerated": TBinaryProtocol.TBinaryProtocolAccelerated,
    "compact": TCompactProtocol.TCompactProtocol,
    "compact-accelerated": TCompactProtocol.TCompactProtocolAccelerated,
    "json": TJSONProtocol.TJSONProtocol,
}


def header(subprotocol, transforms):
    def create(trans):
        protocol = THeaderProtocol.THeaderProtocol(
            trans, (THeaderTransport.THeaderClientType.HEADERS,), subprotocol
        )
        for transform in transforms:
            protocol.add_transform(transform)
        return protocol

    return create


IDS = THeaderTransport.THeaderSubprotocolID
HEADERS = {
    "header-binary": header(IDS.BINARY, []),
    "header-compact": header(IDS.COMPACT, []),
    "header-binary-zlib": header(IDS.BINARY, [1]),
    "header-compact-zlib": header(IDS.COMPACT, [1]),
}


def cells():
    for transport_name, transport in TRANSPORTS.items():
        for protocol_name, protocol in PROTOCOLS.items():
            yield protocol_name + " " + transport_name, transport, protocol
    for protocol_name, protocol in HEADERS.items():
        yield protocol_name, lambda trans: trans, protocol
        yield protocol_name + " zlib", TZlibTransport.TZlibTransport, protocol


def main():
    connections = []
    for name, transport, protocol in cells():
        outer = transport(TSocket.TSocket("127.0.0.1", int(sys.argv[1])))
        # Forty connections are open together: each gets its own protocol back.
        spoken = protocol(outer)
        (outer if hasattr(outer, "open") else spoken.trans).open()
        connections.append((name, spoken))
    for name, spoken in connections:
        check(Echo.Client(spoken), name)
        unknown(spoken)
        multiplexed = TMultiplexedProtocol.TMultiplexedProtocol(spoken, "Echo")
        check(Echo.Client(multiplexed), name + " multiplexed")
        if name.startswith("header"):
            spoken.set_header(b"who", "pythön".encode())
            assert Echo.Client(spoken).header("who") == "pythön"
            assert Echo.Client(spoken).header("who") == ""
            spoken.set_header(b"client_timeout", b"5000")
            assert 0 < Echo.Client(spoken).deadline() <= 5000
            assert Echo.Client(spoken).deadline() == 0
        print("passed", name, flush=True)
    for _, spoken in connections:
        spoken.trans.close()


main()
