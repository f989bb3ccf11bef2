import { Type } from "./protocol.ts";

/** The compact protocol's own type numbers, four bits wide. */
export const CompactType = {
  STOP: 0,
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
  UUID: 13,
} as const;

export const PROTOCOL_ID = 0x82;
export const VERSION = 1;
export const VERSION_MASK = 0x1f;
/** The message type's place in the byte that it shares with the version. */
export const TYPE_SHIFT = 5;

/** What the type tables hold where there is no such type. */
export const NO_TYPE = 255;

/** Thrift's type by compact type. */
export const THRIFT_TYPE: Uint8Array = new Uint8Array(16).fill(NO_TYPE);
/** Compact type by Thrift's type; a bool's is TRUE, as containers of bools announce them. */
export const COMPACT_TYPE: Uint8Array = new Uint8Array(17).fill(NO_TYPE);

const PAIRS: readonly (readonly [number, number])[] = [
  [CompactType.STOP, Type.STOP],
  [CompactType.FALSE, Type.BOOL],
  [CompactType.TRUE, Type.BOOL],
  [CompactType.BYTE, Type.BYTE],
  [CompactType.I16, Type.I16],
  [CompactType.I32, Type.I32],
  [CompactType.I64, Type.I64],
  [CompactType.DOUBLE, Type.DOUBLE],
  [CompactType.BINARY, Type.STRING],
  [CompactType.LIST, Type.LIST],
  [CompactType.SET, Type.SET],
  [CompactType.MAP, Type.MAP],
  [CompactType.STRUCT, Type.STRUCT],
  [CompactType.UUID, Type.UUID],
];
for (const [compact, thrift] of PAIRS) {
  THRIFT_TYPE[compact] = thrift;
  COMPACT_TYPE[thrift] = compact;
}
