/**
 * What every contestant of the benchmark serves.
 *
 * The JavaScript in bench/gen is made by
 *   thrift --gen js:node,ts,es6 -out bench/gen bench/idl/bench.thrift
 * and the other languages' code by bench/servers/build.ts, into bench/build.
 */
namespace cpp bench
namespace go bench
namespace java bench
namespace js bench
namespace py bench

/**
 * With the values of `benchItem` in bench/load/messages.ts, a call of `echo` is 139 bytes as one framed
 * strict binary message: 4 of frame length, 16 of message header, 3 of the argument's field header,
 * 115 of this struct, 1 that ends the arguments.
 */
struct Item {
  1: i64 id,
  2: string name,
  3: string owner,
  4: i32 quantity,
  5: double price,
  6: string currency,
  7: bool active,
  8: string note,
  9: i64 updatedAtMs,
}

service Bench {
  void ping(),

  /** Returns the item that came. */
  Item echo(1: Item item),

  /** Returns the bytes that came. */
  binary blob(1: binary data),

  /**
   * Keeps the thread that runs the handler busy, in one synchronous piece, until it has used `ms`
   * milliseconds of CPU time (not of wall time, which passes for a thread that waits for a core too).
   * Returns `ms`.
   */
  i64 burn(1: i32 ms),
}
