/** The npm library as a client: see clients/README.md for what goes in and comes out. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import Int64 from "node-int64";
import Absent from "../../gen/Absent.js";
import AllTypes from "../../gen/AllTypes.js";
import types from "../../gen/interop_types.js";
import Second from "../../gen/Second.js";
import { type Any, library, open, type Peer } from "./node-connection.ts";

const callbackStyle: Any = (service: string) =>
  createRequire(import.meta.url)(`../../gen/callback/${service}.js`);

/** The checks of one cell. `client()` opens a connection of its own, because a connection knows one client. */
function checksOf(protocol: string, call: Any, cell: string, client: (service: Any) => Promise<Any>) {
  const comparable = (value: unknown) =>
    protocol.includes("compact") ? withoutLostBools(plain(value)) : plain(value);
  const equal = (got: unknown, wanted: unknown) => assert.deepEqual(comparable(got), comparable(wanted));
  const everything = new types.Everything({
    ...types.EVERYTHING,
    byWide: wideKeys(protocol, types.EVERYTHING.byWide),
  } as Any);
  const rejected = async (calling: () => unknown): Promise<Any> => {
    const [error] = await Promise.allSettled([Promise.resolve().then(calling)]);
    assert.equal(error.status, "rejected");
    return error.reason;
  };
  const checks: Record<string, () => Promise<unknown>> = {
    void: async () => equal(await call.nothing(), undefined),
    inherited: async () => equal(await call.inherited("ü"), "ü"),
    scalars: async () => {
      for (const value of [-128, 127, 0]) equal(await call.tiny(value), value);
      for (const value of [-32768, 32767]) equal(await call.small(value), value);
      for (const value of [-(2 ** 31), 2 ** 31 - 1]) equal(await call.medium(value), value);
      for (const value of [-0.1, 5e-324, 1.7976931348623157e308]) equal(await call.real(value), value);
      for (const value of [true, false]) equal(await call.truth(value), value);
      equal(await call.colour(types.Colour.BLUE), 300);
    },
    i64: async () => {
      for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 0n, -1n]) {
        equal(await call.decimal(int64(value)), String(value));
      }
      for (const form of ["bigint", "string", "Int64"]) {
        equal(await call.extremes(form), [2n ** 63n - 1n, -(2n ** 63n), 0n, 2n ** 53n + 1n]);
      }
      // Of these the library can send more than a number can hold, but not in compact; it can't read them at all.
      const exact = ["-9007199254740991", "5", "9007199254740991"];
      const wide = ["-9223372036854775808", "9007199254740993", "9223372036854775807"];
      const keys = protocol.includes("compact") ? exact : wide;
      equal(await call.keys(wideKeys(protocol, Object.fromEntries(keys.map((key) => [key, true])))), keys);
    },
    text: async () => {
      for (const text of [types.TEXT, "", "ü".repeat(5000)]) equal(await call.text(text), text);
    },
    everything: async () => equal(await call.everything(everything), types.EVERYTHING),
    empty: async () => equal(await call.empty(emptyEverything()), emptyEverything()),
    defaults: async () => equal(await call.defaults(new types.Defaults()), new types.Defaults()),
    optionals: async () => {
      equal(await call.present(new types.Optionals()), []);
      equal(await call.optionals(new types.Optionals()), new types.Optionals());
      const there = emptyOptionals();
      equal(await call.present(there), Object.keys(there).sort());
      equal(await call.optionals(there), there);
    },
    union: async () => {
      const choices = [
        { wide: int64(-(2n ** 63n)) },
        { text: "ü" },
        { point: new types.Point({ x: 1 }) },
        { bytes: Buffer.from("bytes") },
      ].map((choice) => new types.Choice(choice as Any));
      for (const choice of [...choices, new types.Choice({ choices })])
        equal(await call.choose(choice), choice);
    },
    recursive: async () => {
      const tree = await call.tree(20);
      equal(await call.sum(tree), 1n);
      let depth = 0;
      for (let at = tree; at !== undefined; at = at.children[0]) depth++;
      equal(depth, 20);
    },
    large: async () => {
      equal((await call.reversed(Buffer.alloc(0))).length, 0);
      const large = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
      const got = await call.reversed(large);
      assert.ok(Buffer.from(large).reverse().equals(Buffer.from(got)));
    },
    declared: async () => {
      equal(await call.fail("no"), "no");
      const refused = await rejected(() => call.fail("refused"));
      assert.ok(refused instanceof types.Refused, String(refused));
      equal(
        [refused.why, refused.colour, refused.point],
        ["why nöt", 300, new types.Point({ x: -1, label: "here" })],
      );
      const busy = await rejected(() => call.fail("busy"));
      assert.ok(busy instanceof types.Busy, String(busy));
      equal(busy.untilMs, 2n ** 53n + 1n);
    },
    undeclared: async () => equal((await rejected(() => call.fail("undeclared"))).type, 6),
    unknown: async () => equal((await rejected(async () => (await client(Absent)).absent(1))).type, 1),
    oneway: async () => {
      call.note(cell, `by ${cell}`);
      equal(await call.noted(cell), `by ${cell}`);
    },
    multiplexed: async () => {
      const [all, second, none] = [
        await client(["AllTypes", AllTypes]),
        await client(["Second", Second]),
        await client(["None", Second]),
      ];
      equal(await all.everything(everything), types.EVERYTHING);
      equal(await second.which(), "the second");
      equal((await rejected(() => none.which())).type, 1);
    },
    callbacks: async () => {
      // What the compiler makes without `es6`: the last argument of a call is told of its end.
      const old = await client(callbackStyle("AllTypes"));
      const call = (method: string, ...args: unknown[]): Promise<unknown> =>
        new Promise((resolve, reject) => {
          old[method](...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
        });
      equal(await call("everything", everything), types.EVERYTHING);
      assert.equal((await rejected(() => call("fail", "refused"))).name, "Refused");
      equal((await rejected(() => call("fail", "undeclared"))).type, 6);
    },
  };
  return checks;
}

/** The library writes an i64 key in binary as if it were hexadecimal. */
function wideKeys(protocol: string, map: object): object {
  if (!protocol.includes("binary")) return map;
  const hex = (key: string) => BigInt.asUintN(64, BigInt(key)).toString(16).padStart(16, "0");
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [hex(key), value]));
}

function int64(value: bigint): Int64 {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return new Int64(bytes);
}

/** i64 as bigint, bytes as text; what is absent is not there. */
function plain(value: Any): unknown {
  if (value instanceof Int64) return value.buffer.readBigInt64BE(value.offset);
  if (Buffer.isBuffer(value)) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).filter(([, part]) => part !== null && part !== undefined);
  return Object.fromEntries(parts.map(([name, part]) => [name, plain(part)]));
}

/** In compact the library reads each bool in a list or map as false, so they are not compared. */
function withoutLostBools(value: Any): unknown {
  if (value?.truths === undefined || value.nested === undefined) return value;
  const nested = Object.entries(value.nested).map(([key, inner]) => [key, Object.keys(inner as object)]);
  return { ...value, truths: value.truths.length, nested };
}

function emptyEverything(): Any {
  const blank = new types.Everything({ point: new types.Point({ x: 0 }) } as Any) as Any;
  for (const name of ["tiny", "small", "medium", "wide", "real"]) blank[name] = 0;
  for (const name of ["wides", "words", "sets", "truths", "reals", "deep", "colours"]) blank[name] = [];
  for (const name of ["byWide", "byText", "nested", "byColour", "widesByName", "trees"]) blank[name] = {};
  return Object.assign(blank, { truth: false, text: "", bytes: Buffer.alloc(0), colour: 1, wide: int64(0n) });
}

function emptyOptionals(): Any {
  return new types.Optionals({
    truth: false,
    tiny: 0,
    medium: 0,
    wide: int64(0n),
    real: 0,
    text: "",
    bytes: Buffer.alloc(0),
    point: new types.Point({ x: 0 }),
    words: [],
    pairs: { "-1": -2 },
  } as Any);
}

async function run(protocol: string, transport: string, socket: string): Promise<void> {
  const cell = `${protocol} ${transport} ${socket}`;
  const peers: Peer[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const client = async (service: Any): Promise<Any> => {
    const peer = await open(protocol, transport, socket, failed);
    peers.push(peer);
    const made = Array.isArray(service)
      ? new library.Multiplexer().createClient(...service, peer.connection)
      : peer.createClient(service, peer.connection);
    return made;
  };
  try {
    const calls = await client(AllTypes);
    for (const [name, check] of Object.entries(checksOf(protocol, calls, cell, client))) {
      const outcome = await Promise.race([check(), failed.promise]).then(
        () => "ok",
        (error) => `failed: ${String(error?.stack ?? error)}`.replaceAll("\n", " ").slice(0, 500),
      );
      console.log(`${cell}\t${name}\t${outcome}`);
    }
  } catch (error) {
    console.log(`${cell}\topen\tfailed: ${error}`);
  } finally {
    for (const peer of peers) peer.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [protocol = "", transport = "", socket = ""] = line.split(" ");
  await run(protocol, transport, socket);
}
