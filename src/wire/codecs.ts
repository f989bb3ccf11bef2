/** Reader and writer of each protocol. */
import { BinaryReader } from "./binary-reader.ts";
import { CompactReader } from "./compact-reader.ts";
import { JsonReader } from "./json-reader.ts";
import type { ProtocolReader } from "./protocol.ts";
import type { ReadLimits } from "./read-limits.ts";
import { createReplyWriter, type ReplyWriter } from "./reply-writer.ts";

/** One reader and one writer, used for all calls of a thread in turn. */
export interface Codec {
  readonly reader: ProtocolReader;
  readonly writer: ReplyWriter;
}

/** A codec for each protocol, by its number. */
export function createCodecs(limits: ReadLimits): Codec[] {
  return [
    { reader: new BinaryReader(limits), writer: createReplyWriter("binary") },
    { reader: new CompactReader(limits), writer: createReplyWriter("compact") },
    { reader: new JsonReader(limits), writer: createReplyWriter("json") },
  ];
}
