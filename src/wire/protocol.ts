import type Int64 from "node-int64";
import type { Int64Value } from "./int64.ts";

/** Thrift's type numbers, as generated code and the binary protocol use them. */
export const Type = {
  STOP: 0,
  VOID: 1,
  BOOL: 2,
  BYTE: 3,
  DOUBLE: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  MAP: 13,
  SET: 14,
  LIST: 15,
  UUID: 16,
} as const;

/** Thrift's message types. */
export const MessageType = { CALL: 1, REPLY: 2, EXCEPTION: 3, ONEWAY: 4 } as const;

export interface MessageHeader {
  fname: string;
  mtype: number;
  rseqid: number;
}

export interface StructHeader {
  readonly fname: string;
}

export interface FieldHeader {
  readonly fname: null;
  readonly ftype: number;
  readonly fid: number;
}

export interface MapHeader {
  readonly ktype: number;
  readonly vtype: number;
  readonly size: number;
}

export interface ListHeader {
  readonly etype: number;
  readonly size: number;
}

/** Stands where generated code expects a transport: the codec reads and writes one buffer and has none. */
export interface NoTransport {
  flush(): void;
}

/**
 * The reading half of Thrift's TProtocol, over one message in a buffer. Every method that reads throws
 * `ProtocolError` when the bytes are not a message, and never reads past the message's end.
 *
 * The headers that readFieldBegin, readMapBegin, readListBegin and readSetBegin return are objects of the
 * reader's, filled anew by the next such call. Generated code takes what it needs out of them at once; other
 * callers must do the same.
 */
export interface ProtocolReader {
  /** The index in the buffer of the next byte to read. */
  position: number;
  /**
   * Starts a message: forgets all depth and counts. `bytes` may lie over a SharedArrayBuffer; nothing that the
   * reader returns refers to it.
   * Throws RangeError when `start` and `end` are not a range of `bytes`.
   */
  reset(bytes: Buffer, start: number, end: number): void;
  readMessageBegin(): MessageHeader;
  readMessageEnd(): void;
  readStructBegin(): StructHeader;
  readStructEnd(): void;
  readFieldBegin(): FieldHeader;
  readFieldEnd(): void;
  readMapBegin(): MapHeader;
  readMapEnd(): void;
  readListBegin(): ListHeader;
  readListEnd(): void;
  readSetBegin(): ListHeader;
  readSetEnd(): void;
  readBool(): boolean;
  readByte(): number;
  readI16(): number;
  readI32(): number;
  /** Owns its 8 bytes, which begin at offset 0 of their buffer. */
  readI64(): Int64;
  readDouble(): number;
  readString(): string;
  /** A copy. */
  readBinary(): Buffer;
  readUuid(): string;
  /** Passes over a value of this type without building it; the same limits hold. */
  skip(type: number): void;
  /** Newer generated code calls it around each struct. It does nothing: readStructBegin counts already. */
  incrementRecursionDepth(): void;
  decrementRecursionDepth(): void;
  getTransport(): NoTransport;
}

/**
 * The writing half of Thrift's TProtocol, into one buffer that is used again and again. A value that the Thrift
 * type can't carry throws `ProtocolError`; the caller then resets to where the message began.
 *
 * Numbers are accepted as strings too, where those are exactly what `String(number)` gives: generated code
 * writes a map with `for (key in map) output.writeI32(key)`, and there every key is a string.
 */
export interface ProtocolWriter {
  /** Replaced when it grows: read it anew after every write. */
  readonly buffer: Buffer;
  /** The index in the buffer of the next byte to write. */
  position: number;
  /**
   * Writes on from `position`; what lies before it stays. Without an argument it goes back to where the last
   * reset with one went, as generated clients expect it after an error. A buffer that has grown beyond 1 MiB
   * shrinks to its initial capacity.
   */
  reset(position?: number): void;
  /** Leaves a gap of so many bytes, to be filled by the caller, and returns its index in the buffer. */
  reserve(sizeBytes: number): number;
  writeMessageBegin(name: string, type: number, seqid: number): void;
  writeMessageEnd(): void;
  writeStructBegin(name?: string): void;
  writeStructEnd(): void;
  writeFieldBegin(name: string, type: number, id: number): void;
  writeFieldEnd(): void;
  writeFieldStop(): void;
  writeMapBegin(keyType: number, valueType: number, size: number): void;
  /**
   * Throws when more or fewer elements were written than were announced; so do writeListEnd and writeSetEnd.
   */
  writeMapEnd(): void;
  writeListBegin(elementType: number, size: number): void;
  writeListEnd(): void;
  writeSetBegin(elementType: number, size: number): void;
  writeSetEnd(): void;
  /** True for whatever is truthy, except the map keys "false" and "0"; null and undefined throw. */
  writeBool(value: unknown): void;
  writeByte(value: number | string): void;
  writeI16(value: number | string): void;
  writeI32(value: number | string): void;
  writeI64(value: Int64Value): void;
  writeDouble(value: number | string): void;
  writeString(value: string | Uint8Array): void;
  /** A string is taken as latin1, one byte a character, as the `thrift` package does. */
  writeBinary(value: string | Uint8Array): void;
  writeUuid(value: string): void;
  incrementRecursionDepth(): void;
  decrementRecursionDepth(): void;
  /** Does nothing: the caller takes the bytes out of `buffer`. */
  flush(): void;
  getTransport(): NoTransport;
}
