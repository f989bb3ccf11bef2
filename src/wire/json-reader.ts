/**
 * Reads Thrift's JSON protocol, in place and without building an object of it first.
 *
 * It is our own because the thrift package's TJSONProtocol can't be used for what strangers send: it takes
 * fields and list elements destructively out of a whole parsed tree, without any limit on depth or elements; it
 * loses map entries under the key `__proto__`, refuses maps with a key twice, takes field −1 for a struct's end,
 * and neither checks integers for their range nor base64 for being base64.
 */
import type Int64 from "node-int64";
import { BufferReader, unknownType } from "./buffer-reader.ts";
import { toInt64 } from "./int64.ts";
import { JSON_TYPES, jsonTypeName, numberOfJsonDouble, unescapeJson } from "./json-text.ts";
import type {
  FieldHeader,
  ListHeader,
  MapHeader,
  MessageHeader,
  ProtocolReader,
  StructHeader,
} from "./protocol.ts";
import { Type } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";
import { decodeText } from "./text-coding.ts";

const VERSION = 1;
/** The least that a value in a container takes: one character and what separates it from its neighbour. */
const LEAST_BYTES = 2;

const Byte = {
  QUOTE: 0x22,
  PLUS: 0x2b,
  COMMA: 0x2c,
  MINUS: 0x2d,
  COLON: 0x3a,
  OPEN_ARRAY: 0x5b,
  BACKSLASH: 0x5c,
  CLOSE_ARRAY: 0x5d,
  OPEN_OBJECT: 0x7b,
  CLOSE_OBJECT: 0x7d,
} as const;

/** What separates values from each other: nothing in a field, commas in a list, colons and commas in a map. */
type Place = "field" | "list" | "map" | "struct";

/** Reads Thrift's JSON protocol, version 1. White space between tokens is accepted. */
export class JsonReader extends BufferReader implements ProtocolReader {
  readonly #field: { fname: null; ftype: number; fid: number } = { fname: null, ftype: 0, fid: 0 };
  /** Where the values of each level stand, and how many have begun there; keys and values of a map singly. */
  readonly #places: Place[] = ["field"];
  readonly #begun: number[] = [0];
  #level = 0;

  override reset(bytes: Buffer, start: number, end: number): void {
    super.reset(bytes, start, end);
    this.#level = 0;
  }

  readMessageBegin(): MessageHeader {
    this.#expect(Byte.OPEN_ARRAY);
    const version = this.#integer(32);
    if (version !== VERSION) throw new ProtocolError("bad-version", `a JSON message of version ${version}`);
    this.#expect(Byte.COMMA);
    const fname = this.#string();
    this.#expect(Byte.COMMA);
    const mtype = this.#integer(32);
    this.#expect(Byte.COMMA);
    const rseqid = this.#integer(32);
    this.#expect(Byte.COMMA);
    return { fname, mtype, rseqid };
  }

  override readMessageEnd(): void {
    this.#expect(Byte.CLOSE_ARRAY);
  }

  override readStructBegin(): StructHeader {
    const header = super.readStructBegin();
    this.#begin();
    this.#expect(Byte.OPEN_OBJECT);
    this.#enter("struct");
    return header;
  }

  override readStructEnd(): void {
    this.#expect(Byte.CLOSE_OBJECT);
    this.#level--;
    super.readStructEnd();
  }

  readFieldBegin(): FieldHeader {
    const field = this.#field;
    if (this.#next() === Byte.CLOSE_OBJECT) {
      field.ftype = Type.STOP;
      field.fid = 0;
      return field;
    }
    if (this.#begun[this.#level]!++ > 0) this.#expect(Byte.COMMA);
    field.fid = this.#integer(16);
    this.#expect(Byte.COLON);
    this.#expect(Byte.OPEN_OBJECT);
    const name = this.#string();
    const type = JSON_TYPES.get(name);
    if (type === undefined) throw unknownTypeName(name);
    field.ftype = type;
    this.#expect(Byte.COLON);
    this.#enter("field");
    return field;
  }

  override readFieldEnd(): void {
    this.#expect(Byte.CLOSE_OBJECT);
    this.#level--;
  }

  readMapBegin(): MapHeader {
    this.#begin();
    this.#expect(Byte.OPEN_ARRAY);
    const keyName = this.#string();
    this.#expect(Byte.COMMA);
    const valueName = this.#string();
    this.#expect(Byte.COMMA);
    const size = this.#integer(32);
    this.#expect(Byte.COMMA);
    this.#expect(Byte.OPEN_OBJECT);
    this.enterContainer(size, 2 * LEAST_BYTES);
    this.map.ktype = elementType(keyName, size);
    this.map.vtype = elementType(valueName, size);
    this.map.size = size;
    this.#enter("map");
    return this.map;
  }

  override readMapEnd(): void {
    this.#expect(Byte.CLOSE_OBJECT);
    this.#expect(Byte.CLOSE_ARRAY);
    this.#level--;
    super.readMapEnd();
  }

  readListBegin(): ListHeader {
    this.#begin();
    this.#expect(Byte.OPEN_ARRAY);
    const name = this.#string();
    this.#expect(Byte.COMMA);
    const size = this.#integer(32);
    this.enterContainer(size, LEAST_BYTES);
    this.list.etype = elementType(name, size);
    this.list.size = size;
    this.#enter("list");
    return this.list;
  }

  override readListEnd(): void {
    this.#expect(Byte.CLOSE_ARRAY);
    this.#level--;
    super.readListEnd();
  }

  override readSetEnd(): void {
    this.readListEnd();
  }

  readBool(): boolean {
    this.#begin();
    return this.#integer(32) !== 0;
  }

  readByte(): number {
    this.#begin();
    return this.#integer(8);
  }

  readI16(): number {
    this.#begin();
    return this.#integer(16);
  }

  readI32(): number {
    this.#begin();
    return this.#integer(32);
  }

  readI64(): Int64 {
    this.#begin();
    return toInt64(this.#digits());
  }

  readDouble(): number {
    this.#begin();
    const text = this.#next() === Byte.QUOTE ? this.#string() : this.#word();
    const value = numberOfJsonDouble(text);
    if (value === undefined) throw new ProtocolError("invalid-data", `${JSON.stringify(text)} is no double`);
    return value;
  }

  readString(): string {
    this.#begin();
    return this.#string();
  }

  /** Base64, with or without its padding. */
  readBinary(): Buffer {
    this.#begin();
    const text = this.#string();
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
      throw new ProtocolError("invalid-data", "a binary that is no base64");
    }
    return Buffer.from(text, "base64");
  }

  override readUuid(): string {
    this.#begin();
    const text = this.#string();
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) {
      throw new ProtocolError("invalid-data", `${JSON.stringify(text.slice(0, 40))} is no UUID`);
    }
    return text.toLowerCase();
  }

  protected minimumBytes(type: number): number {
    return jsonTypeName(type) === undefined ? 0 : LEAST_BYTES;
  }

  protected skipScalar(type: number): void {
    if (jsonTypeName(type) === undefined) throw unknownType(type);
    this.#begin();
    if (this.#next() === Byte.QUOTE) this.#passString();
    else this.#word();
  }

  #enter(place: Place): void {
    const level = ++this.#level;
    this.#places[level] = place;
    this.#begun[level] = 0;
  }

  /** Passes over what separates the next value from the one before. */
  #begin(): void {
    const place = this.#places[this.#level]!;
    const begun = this.#begun[this.#level]!++;
    // A list's elements stand behind its count.
    if (place === "list") this.#expect(Byte.COMMA);
    else if (place === "map" && begun > 0) this.#expect(begun % 2 === 1 ? Byte.COLON : Byte.COMMA);
  }

  /** The next byte that is no white space; `position` then stands on it. */
  #next(): number {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        this.position = at;
        return byte;
      }
      at++;
    }
    this.position = at;
    throw this.truncated(1);
  }

  #expect(wanted: number): void {
    const byte = this.#next();
    if (byte !== wanted) {
      throw new ProtocolError(
        "invalid-data",
        `${JSON.stringify(String.fromCharCode(byte))} where ${JSON.stringify(String.fromCharCode(wanted))} must be`,
      );
    }
    this.position++;
  }

  /** The bytes of the string at `position`, without its quotes; `#escaped` tells whether there are escapes in it. */
  #passString(): number {
    this.#expect(Byte.QUOTE);
    const { bytes, end } = this;
    const start = this.position;
    this.#escaped = false;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === Byte.QUOTE) {
        this.position = at + 1;
        return start;
      }
      if (byte === Byte.BACKSLASH) {
        this.#escaped = true;
        at++;
      }
    }
    throw this.truncated(end - start + 1);
  }

  #escaped = false;

  #string(): string {
    const start = this.#passString();
    const text = decodeText(this.bytes, start, this.position - 1 - start);
    return this.#escaped ? unescapeJson(text) : text;
  }

  /** A run of letters, digits, signs and points. */
  #word(): string {
    this.#next();
    const { bytes, end } = this;
    const start = this.position;
    let at = start;
    while (at < end && isWordByte(bytes[at]!)) at++;
    this.position = at;
    if (at === start) {
      throw new ProtocolError(
        "invalid-data",
        `${JSON.stringify(String.fromCharCode(bytes[at]!))} for a number`,
      );
    }
    return bytes.latin1Slice(start, at);
  }

  /** The decimal digits of an integer, in quotes or not. */
  #digits(): string {
    const text = this.#next() === Byte.QUOTE ? this.#string() : this.#word();
    if (!/^-?\d{1,19}$/.test(text)) {
      throw new ProtocolError("invalid-data", `${JSON.stringify(text.slice(0, 40))} is no integer`);
    }
    return text;
  }

  #integer(bits: 8 | 16 | 32): number {
    const value = Number(this.#digits());
    const limit = 2 ** (bits - 1);
    if (value < -limit || value >= limit) {
      throw new ProtocolError("invalid-data", `${value} is no ${bits}-bit integer`);
    }
    return value === 0 ? 0 : value;
  }
}

function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === Byte.PLUS ||
    byte === Byte.MINUS ||
    byte === 0x2e
  );
}

/** An empty container's type says nothing. */
function elementType(name: string, count: number): number {
  const type = JSON_TYPES.get(name);
  if (type === undefined && count > 0) throw unknownTypeName(name);
  return type ?? Type.STOP;
}

function unknownTypeName(name: string): ProtocolError {
  return new ProtocolError("invalid-data", `unknown type ${JSON.stringify(name.slice(0, 40))}`);
}
