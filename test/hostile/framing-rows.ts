/** Frames and heads of messages that can't be. */
import { maxFrame, type Row, row } from "./row.ts";
import { framed, good, join, protocols } from "./wire.ts";

/** Lengths of frames that can't be. */
export function frameRows(): Row[] {
  const lengths = {
    zero: 0,
    "-1": -1,
    "the smallest": -(2 ** 31),
    "the largest": 2 ** 31 - 1,
    "one above maxFrameSize": maxFrame + 1,
  };
  return protocols.flatMap((protocol) => [
    ...Object.entries(lengths).flatMap(([what, length]) => [
      row(
        `framed ${protocol}: a frame's length is ${what}`,
        protocol,
        "closed",
        framed(good(protocol), length),
      ),
      row(
        `framed ${protocol}: the second frame's length is ${what}`,
        protocol,
        "reply closed",
        join(framed(good(protocol)), framed(good(protocol), length)),
      ),
    ]),
    row(
      `framed ${protocol}: the frame is one byte longer than the message, which never comes`,
      protocol,
      "timeout",
      framed(good(protocol), good(protocol).length + 1),
    ),
    row(
      `framed ${protocol}: the frame ends one byte before its message`,
      protocol,
      "exception 7 timeout",
      framed(good(protocol), good(protocol).length - 1),
    ),
    row(
      `framed ${protocol}: two messages in one frame`,
      protocol,
      "reply open",
      framed(join(good(protocol), good(protocol))),
    ),
    row(
      `framed ${protocol}: a frame ends inside its header`,
      protocol,
      "closed",
      framed(good(protocol).subarray(0, 7)),
    ),
    row(
      `framed ${protocol}: an empty rest of a frame, then FIN`,
      protocol,
      "closed",
      framed(good(protocol)).subarray(0, 9),
      true,
    ),
  ]);
}

/** Heads that can't be, framed and unframed. */
export function headRows(): Row[] {
  const types = { reply: 2, exception: 3, "type 0": 0, "type 5": 5, "type 7": 7 };
  return protocols.flatMap((protocol) => {
    const both = (what: string, expected: string, bytes: Buffer): Row[] => [
      row(`framed ${protocol}: ${what}`, protocol, expected, framed(bytes)),
      row(`unframed ${protocol}: ${what}`, protocol, expected, bytes),
    ];
    return [
      ...Object.entries(types).flatMap(([what, type]) =>
        both(`a message of ${what} is sent to the server`, "closed", good(protocol, { type })),
      ),
      ...both(
        "a version that nobody knows",
        "closed",
        good(protocol, { version: protocol === "binary" ? 0x8002 : 2 }),
      ),
      ...both("a name of 1,025 bytes", "closed", good(protocol, { name: "n".repeat(1025) })),
      ...both("a name without any byte", "closed", good(protocol, { name: "" })),
      ...both("an unknown method", "exception 1 open", good(protocol, { name: "nobody" })),
      ...both("an unknown service", "exception 1 open", good(protocol, { name: "Nobody:echo" })),
      ...both("an unknown method as a oneway call", "open", good(protocol, { name: "nobody", type: 4 })),
      ...both(
        "a name with bytes that are no UTF-8",
        "exception 1 open",
        good(protocol, { name: "e\xff\xfe\x80" }),
      ),
      ...both(
        "a name like an object's own property",
        "exception 1 open",
        good(protocol, { name: "__proto__" }),
      ),
    ];
  });
}

/** Lengths of names that can't be. */
export const nameLengths: readonly Row[] = [-1, 2 ** 31 - 1, -(2 ** 31), 0].flatMap((nameBytes) => [
  row(
    `framed binary: a name of ${nameBytes} bytes`,
    "binary",
    "closed",
    framed(good("binary", { nameBytes })),
  ),
  row(`unframed compact: a name of ${nameBytes} bytes`, "compact", "closed", good("compact", { nameBytes })),
]);
