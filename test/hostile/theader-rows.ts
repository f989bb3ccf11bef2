/** Envelopes and compression. */
import { deflateSync } from "node:zlib";
import { maxFrame, type Row, row } from "./row.ts";
import { framed, good, hex, i32, join, message, theader, varint, zlibTheader } from "./wire.ts";

/** THeader and zlib. */
export const theaderRows: readonly Row[] = [
  row(
    "theader: another magic in the second frame",
    "theader",
    "reply closed",
    join(theader(good("binary")), framed(good("binary"))),
  ),
  row(
    "theader: a header longer than its frame",
    "theader",
    "closed",
    theader(good("binary"), hex("00 00"), 0xffff),
  ),
  row("theader: a protocol that nobody knows", "theader", "closed", theader(good("binary"), hex("05 00"))),
  row("theader: a negative protocol", "theader", "closed", theader(good("binary"), join(varint(-1), 0))),
  row(
    "theader: a transform that nobody knows",
    "theader",
    "closed",
    theader(good("binary"), hex("00 01 63")),
  ),
  row("theader: 200 transforms", "theader", "closed", theader(good("binary"), join(0, varint(200)))),
  row("theader: five times zlib", "theader", "closed", zlibTheader(good("binary"), 5)),
  row(
    "theader: an info header that reaches beyond",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01 01"), varint(9999), "key")),
  ),
  row(
    "theader: an info header of a negative length",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01 01"), varint(-5), "key")),
  ),
  row(
    "theader: 2^31 - 1 info headers",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 01"), varint(2 ** 31 - 1))),
  ),
  row("theader: varints without end", "theader", "closed", theader(good("binary"), Buffer.alloc(40, 0xff))),
  row(
    "theader: more than 64 KiB of persistent headers",
    "theader",
    "closed",
    theader(good("binary"), join(hex("00 00 02 01 01 6b"), varint(70_000), Buffer.alloc(70_000, 0x61))),
  ),
  row("theader: a zlib bomb of 64 MiB", "theader", "closed", zlibTheader(Buffer.alloc(64 << 20))),
  row("theader: a zlib bomb in a zlib bomb", "theader", "closed", zlibTheader(Buffer.alloc(64 << 20), 2)),
  row(
    "theader: what is compressed is no zlib",
    "theader",
    "closed",
    theader(good("binary"), hex("00 01 01")),
  ),
  row(
    "theader: a zlib stream without its end",
    "theader",
    "closed",
    theader(deflateSync(good("binary")).subarray(0, -6), hex("00 01 01")),
  ),
  row("theader: nothing in it", "theader", "closed", theader(Buffer.alloc(0))),
  row("theader: a reply in it", "theader", "closed", theader(good("binary", { type: 2 }))),
  row(
    "theader: a timeout that is no number",
    "theader",
    "reply open",
    theader(good("binary"), join(hex("00 00 01 01 0e"), "client_timeout", 4, "-1e9")),
  ),
  row(
    "theader: a header that only the server may set",
    "theader",
    "reply open",
    theader(good("binary"), join(hex("00 00 01 01 0a"), "__proto__x", 1, "x")),
  ),
  row("zlib stream: noise behind its header", "zlib", "closed", join(hex("78 9c"), Buffer.alloc(200, 0xff))),
  row("zlib stream: a preset dictionary", "zlib", "closed", hex("78 bb 00000001 00")),
  row("zlib stream: no zlib at all behind an x", "zlib", "closed", Buffer.from("xyzzy")),
  row("zlib stream: 64 MiB of zeros", "zlib", "closed", deflateSync(Buffer.alloc(64 << 20))),
  row(
    "zlib stream: a frame of 1 MiB that never ends",
    "zlib",
    "timeout",
    deflateSync(join(i32(maxFrame), good("binary"))),
  ),
  row(
    "zlib stream: 64 MiB of an unframed string",
    "zlib",
    "closed",
    deflateSync(join(message("binary", join(hex("0b 0001"), i32(64 << 20))), Buffer.alloc(64 << 20))),
  ),
  row("zlib stream: a stream within the stream", "zlib", "closed", deflateSync(deflateSync(good("binary")))),
];
