/** Writers that remember how the message they hold began. */
import { BinaryWriter } from "./binary-writer.ts";
import { CompactWriter } from "./compact-writer.ts";
import { JsonWriter } from "./json-writer.ts";
import type { ProtocolWriter } from "./protocol.ts";
import type { ProtocolName } from "./protocol-names.ts";

/** A writer for replies: generated code writes into it, and what it wrote can be told afterwards. */
export interface ReplyWriter extends ProtocolWriter {
  /** The type of the message begun last. */
  messageType: number;
  /** Where that message's struct begins. */
  bodyAt: number;
  /** What a message takes from there on whose struct has no fields, in bytes. */
  readonly emptyBodyBytes: number;
}

class BinaryReplyWriter extends BinaryWriter implements ReplyWriter {
  readonly emptyBodyBytes = 1;
  messageType = 0;
  bodyAt = 0;

  override writeMessageBegin(name: string, type: number, seqid: number): void {
    super.writeMessageBegin(name, type, seqid);
    this.messageType = type;
    this.bodyAt = this.position;
  }
}

class CompactReplyWriter extends CompactWriter implements ReplyWriter {
  readonly emptyBodyBytes = 1;
  messageType = 0;
  bodyAt = 0;

  override writeMessageBegin(name: string, type: number, seqid: number): void {
    super.writeMessageBegin(name, type, seqid);
    this.messageType = type;
    this.bodyAt = this.position;
  }
}

class JsonReplyWriter extends JsonWriter implements ReplyWriter {
  /** `{}` and the message's own end. */
  readonly emptyBodyBytes = 3;
  messageType = 0;
  bodyAt = 0;

  override writeMessageBegin(name: string, type: number, seqid: number): void {
    super.writeMessageBegin(name, type, seqid);
    this.messageType = type;
    this.bodyAt = this.position;
  }
}

/** Makes the writer of a protocol. */
export function createReplyWriter(protocol: ProtocolName): ReplyWriter {
  switch (protocol) {
    case "binary":
      return new BinaryReplyWriter();
    case "compact":
      return new CompactReplyWriter();
    case "json":
      return new JsonReplyWriter();
  }
}

/** Bytes of a frame's length. */
export const frameLengthBytes = 4;

/** Begins a message in `writer`, with room for its frame's length if it gets one. */
export function beginReply(writer: ReplyWriter, framed: boolean): void {
  writer.reset(framed ? frameLengthBytes : 0);
}

/** Ends a message: fills in its frame's length. The whole reply is then `writer.buffer[0, position)`. */
export function endReply(writer: ReplyWriter, framed: boolean): void {
  if (framed) writer.buffer.writeInt32BE(writer.position - frameLengthBytes, 0);
}
