import { BinaryReader } from "../../../../src/wire/binary-reader.ts";
import { BinaryWriter } from "../../../../src/wire/binary-writer.ts";
import type { WriterOptions } from "../../../../src/wire/buffer-writer.ts";
import { CompactReader } from "../../../../src/wire/compact-reader.ts";
import { CompactWriter } from "../../../../src/wire/compact-writer.ts";
import type { ProtocolReader, ProtocolWriter } from "../../../../src/wire/protocol.ts";
import type { ProtocolErrorKind } from "../../../../src/wire/protocol-error.ts";
import { ProtocolError } from "../../../../src/wire/protocol-error.ts";
import type { ReadLimits } from "../../../../src/wire/read-limits.ts";

export interface Codec {
  readonly name: "binary" | "compact";
  reader(limits?: ReadLimits): ProtocolReader;
  writer(options?: WriterOptions): ProtocolWriter;
}

/** Each test that says nothing else runs for both. */
export const codecs: readonly Codec[] = [
  {
    name: "binary",
    reader: (limits) => new BinaryReader(limits),
    writer: (options) => new BinaryWriter(options),
  },
  {
    name: "compact",
    reader: (limits) => new CompactReader(limits),
    writer: (options) => new CompactWriter(options),
  },
];

/** A copy of what `write` wrote. */
export function written(codec: Codec, write: (output: ProtocolWriter) => void): Buffer {
  const writer = codec.writer();
  write(writer);
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

/** A reader at the start of these bytes. More bytes lie behind them, which it must not see. */
export function readerOf(codec: Codec, bytes: Uint8Array, limits?: ReadLimits): ProtocolReader {
  const before = 5;
  const room = Buffer.alloc(before + bytes.length + 40, 0x01);
  room.set(bytes, before);
  const reader = codec.reader(limits);
  reader.reset(room, before, before + bytes.length);
  return reader;
}

/** For assert.throws: a ProtocolError of this kind, and a message that matches. */
export function protocolError(kind: ProtocolErrorKind, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.kind === kind && message.test(error.message);
}
