/**
 * Reads message headers in place: type, name and seqid, without making a string of the name.
 * Each reader fills the view and returns true, or false when the bytes end inside the header.
 */

import { checkNameLength, type HeaderReader } from "./header-reader.ts";
import { readJsonHeader } from "./json-header.ts";
import { MessageType, type MessageView, WireError } from "./message.ts";
import type { ProtocolName } from "./protocol-names.ts";
import { readVarint, varint } from "./varint.ts";

/** Reads the header of a strict or an old binary message. */
export const readBinaryHeader: HeaderReader = (view, end) => {
  const { bytes, start } = view;
  if (end - start < 4) return false;
  return bytes[start]! >= 0x80 ? readStrictBinary(view, end) : readOldBinary(view, end);
};

function readStrictBinary(view: MessageView, end: number): boolean {
  const { bytes, start } = view;
  if (bytes[start] !== 0x80 || bytes[start + 1] !== 0x01) {
    throw new WireError("bad-header", "the message has no version that the binary protocol knows");
  }
  if (end - start < 8) return false;
  const nameLength = bytes.readInt32BE(start + 4);
  checkNameLength(nameLength);
  const nameEnd = start + 8 + nameLength;
  if (end < nameEnd + 4) return false;
  view.type = bytes[start + 3]!;
  view.nameStart = start + 8;
  view.nameEnd = nameEnd;
  view.seqid = bytes.readInt32BE(nameEnd);
  view.bodyStart = nameEnd + 4;
  return true;
}

function readOldBinary(view: MessageView, end: number): boolean {
  const { bytes, start } = view;
  const nameLength = bytes.readInt32BE(start);
  checkNameLength(nameLength);
  const nameEnd = start + 4 + nameLength;
  if (end < nameEnd + 5) return false;
  view.nameStart = start + 4;
  view.nameEnd = nameEnd;
  view.type = bytes[nameEnd]!;
  view.seqid = bytes.readInt32BE(nameEnd + 1);
  view.bodyStart = nameEnd + 5;
  return true;
}

/** Reads the header of a compact message. */
export const readCompactHeader: HeaderReader = (view, end) => {
  const { bytes, start } = view;
  if (end - start < 2) return false;
  if (bytes[start] !== 0x82 || (bytes[start + 1]! & 0x1f) !== 1) {
    throw new WireError("bad-header", "the message has no version that the compact protocol knows");
  }
  view.type = bytes[start + 1]! >> 5;
  let at = readVarint(bytes, start + 2, end);
  if (at < 0) return false;
  view.seqid = varint;
  at = readVarint(bytes, at, end);
  if (at < 0) return false;
  checkNameLength(varint);
  if (end < at + varint) return false;
  view.nameStart = at;
  view.nameEnd = at + varint;
  view.bodyStart = at + varint;
  return true;
};

/** The header reader of each protocol. */
export const headerReaders: Record<ProtocolName, HeaderReader> = {
  binary: readBinaryHeader,
  compact: readCompactHeader,
  json: readJsonHeader,
};

/** Refuses messages of a type that may not come; which may depends on who reads. */
export type TypeCheck = (view: MessageView) => void;

/** Refuses message types that no client may send. */
export function checkCallType(view: MessageView): void {
  if (view.type !== MessageType.CALL && view.type !== MessageType.ONEWAY) {
    throw new WireError("bad-message-type", `a client may send calls only, not message type ${view.type}`);
  }
}

/** Refuses message types that no server may send. */
export function checkReplyType(view: MessageView): void {
  if (view.type !== MessageType.REPLY && view.type !== MessageType.EXCEPTION) {
    throw new WireError(
      "bad-message-type",
      `a server may send replies and exceptions only, not message type ${view.type}`,
    );
  }
}
