/** Changes to messages that keep most of their structure: what a broken or a hostile client would send. */
import type { Random } from "../oracle/random.ts";

/** Numbers at which something may end: of one byte, and as lengths and counts of four. */
const bytes = [0, 1, 2, 0x0c, 0x0d, 0x0f, 0x10, 0x7f, 0x80, 0x82, 0xf0, 0xff];
const words = [
  0, 1, -1, 0x7fffffff, -0x80000000, 0x80010001, 0x80010002, 0x80010003, 0x80010004, 0x7ffffffe, 65536, 1e6,
];
const pieces: readonly Buffer[] = [
  Buffer.alloc(12, 0xff),
  Buffer.alloc(12, 0x80),
  Buffer.alloc(200, 0x0c),
  Buffer.alloc(200, "["),
  Buffer.from('{"1":{"rec":'.repeat(70)),
  Buffer.from('["lst","rec",999999999,'),
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from("SSH-2.0-x\r\n"),
  Buffer.from([0x0f, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
  Buffer.from([0x78, 0x9c, 0xed, 0xc1]),
];

type Mutation = (random: Random, message: Buffer, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  // One bit.
  (random, message) =>
    change(message, random, (copy, at) => {
      copy[at]! ^= 1 << random.int(0, 7);
    }),
  // One byte.
  (random, message) =>
    change(message, random, (copy, at) => {
      copy[at] = random.pick(bytes);
    }),
  (random, message) =>
    change(message, random, (copy, at) => {
      copy[at] = random.int(0, 255);
    }),
  // A length or a count, anywhere, and off by one.
  (random, message) =>
    change(message, random, (copy, at) => {
      if (at + 4 <= copy.length) copy.writeInt32BE(random.pick(words) | 0, at);
    }),
  (random, message) =>
    change(message, random, (copy, at) => {
      if (at + 4 <= copy.length) copy.writeInt32BE((copy.readInt32BE(at) + random.pick([-1, 1])) | 0, at);
    }),
  (random, message) =>
    change(message, random, (copy, at) => {
      copy[at] = (copy[at]! + random.pick([1, 255])) & 255;
    }),
  // Too short; something is missing, doubled, in the wrong place.
  (random, message) => message.subarray(0, random.int(0, message.length)),
  (random, message) => {
    const [from, to] = range(random, message);
    return Buffer.concat([message.subarray(0, from), message.subarray(to)]);
  },
  (random, message) => {
    const [from, to] = range(random, message);
    return Buffer.concat([message.subarray(0, to), message.subarray(from)]);
  },
  (random, message) => {
    const at = random.int(0, message.length);
    return Buffer.concat([message.subarray(0, at), random.pick(pieces), message.subarray(at)]);
  },
  (random, message, other) =>
    Buffer.concat([
      message.subarray(0, random.int(0, message.length)),
      other.subarray(random.int(0, other.length)),
    ]),
];

/** One message, changed in one to four ways. A frame's length is repaired now and then, so that what is in it is looked at. */
export function mutate(random: Random, message: Buffer, other: Buffer): Buffer {
  let mutated = message;
  for (let left = random.chance(0.6) ? 1 : random.int(2, 4); left > 0; left--) {
    mutated = random.pick(mutations)(random, mutated, other);
  }
  if (mutated.length > 4 && mutated[0] === 0 && random.chance(0.5)) {
    if (mutated === message || mutated.buffer === message.buffer) mutated = Buffer.from(mutated);
    mutated.writeInt32BE(mutated.length - 4);
  }
  return mutated;
}

function change(message: Buffer, random: Random, how: (copy: Buffer, at: number) => void): Buffer {
  if (message.length === 0) return message;
  const copy = Buffer.from(message);
  // What stands at the beginning decides most.
  how(copy, random.int(0, Math.min(message.length, random.chance(0.4) ? 24 : message.length) - 1));
  return copy;
}

function range(random: Random, message: Buffer): [number, number] {
  const from = random.int(0, message.length);
  return [from, Math.min(message.length, from + random.int(1, random.chance(0.7) ? 8 : 100))];
}
