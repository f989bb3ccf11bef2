import { copyBytes } from "./copy-bytes.ts";
import type { ListHeader, MapHeader, NoTransport, StructHeader } from "./protocol.ts";
import { Type } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { ReadLimits } from "./read-limits.ts";
import { DEFAULT_READ_LIMITS } from "./read-limits.ts";
import { type CodingBuffer, decodeText } from "./text-coding.ts";

const NO_BYTES = Buffer.alloc(0) as CodingBuffer;
const STRUCT: StructHeader = Object.freeze({ fname: "" });
const NO_TRANSPORT: NoTransport = Object.freeze({ flush() {} });

/**
 * What both protocols share in reading one message out of a buffer: the position and its bound, the limits,
 * skipping. Nothing is allocated for a length or a count before it was checked against the bytes that are left.
 */
export abstract class BufferReader {
  position = 0;
  protected bytes: CodingBuffer = NO_BYTES;
  protected end = 0;
  protected structDepth = 0;
  #containerDepth = 0;
  #elementsLeft: number;
  readonly #recursionLimit: number;
  readonly #maxContainerElements: number;
  protected readonly map: { -readonly [K in keyof MapHeader]: MapHeader[K] } = {
    ktype: 0,
    vtype: 0,
    size: 0,
  };
  protected readonly list: { -readonly [K in keyof ListHeader]: ListHeader[K] } = { etype: 0, size: 0 };

  constructor(limits: ReadLimits = DEFAULT_READ_LIMITS) {
    this.#recursionLimit = limits.recursionLimit;
    this.#maxContainerElements = limits.maxContainerElements;
    this.#elementsLeft = limits.maxContainerElements;
  }

  abstract readMapBegin(): MapHeader;
  abstract readListBegin(): ListHeader;
  abstract readFieldBegin(): { readonly ftype: number };
  /** The fewest bytes that a value of this type takes on the wire; 0 when there is no such type. */
  protected abstract minimumBytes(type: number): number;
  /** Passes over a value that is neither struct nor container. */
  protected abstract skipScalar(type: number): void;

  reset(bytes: Buffer, start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(
        `a message from ${start} to ${end} does not lie in a buffer of ${bytes.length} bytes`,
      );
    }
    this.bytes = bytes as CodingBuffer;
    this.position = start;
    this.end = end;
    this.structDepth = 0;
    this.#containerDepth = 0;
    this.#elementsLeft = this.#maxContainerElements;
  }

  readMessageEnd(): void {}

  readStructBegin(): StructHeader {
    if (++this.structDepth > this.#recursionLimit) throw this.#tooDeep("structs");
    return STRUCT;
  }

  readStructEnd(): void {
    this.structDepth--;
  }

  readFieldEnd(): void {}

  readMapEnd(): void {
    this.#containerDepth--;
  }

  readListEnd(): void {
    this.#containerDepth--;
  }

  readSetBegin(): ListHeader {
    return this.readListBegin();
  }

  readSetEnd(): void {
    this.#containerDepth--;
  }

  readUuid(): string {
    const at = this.take(16);
    const hex = this.bytes.toString("hex", at, at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  skip(type: number): void {
    switch (type) {
      case Type.STRUCT:
        this.#skipStruct();
        break;
      case Type.MAP:
        this.#skipMap();
        break;
      case Type.LIST:
      case Type.SET: {
        const { etype, size } = this.readListBegin();
        this.skipElements(etype, size);
        this.readListEnd();
        break;
      }
      default:
        this.skipScalar(type);
    }
  }

  incrementRecursionDepth(): void {}

  decrementRecursionDepth(): void {}

  getTransport(): NoTransport {
    return NO_TRANSPORT;
  }

  protected skipElements(type: number, count: number): void {
    for (let index = 0; index < count; index++) this.skip(type);
  }

  /** Claims the next bytes and returns where they begin. */
  protected take(sizeBytes: number): number {
    const at = this.position;
    if (sizeBytes > this.end - at) throw this.truncated(sizeBytes);
    this.position = at + sizeBytes;
    return at;
  }

  /** Claims the next bytes of a length that was read off the wire. */
  protected takeSized(sizeBytes: number): number {
    if (sizeBytes < 0) throw new ProtocolError("negative-size", `a string of ${sizeBytes} bytes`);
    return this.take(sizeBytes);
  }

  protected text(sizeBytes: number): string {
    return decodeText(this.bytes, this.takeSized(sizeBytes), sizeBytes);
  }

  /** A copy: the buffer is used again, and may be shared with another thread. */
  protected copy(sizeBytes: number): Buffer {
    const at = this.takeSized(sizeBytes);
    return copyBytes(this.bytes, at, at + sizeBytes);
  }

  /** Checks a container's header that was just read, and enters it. */
  protected enterContainer(count: number, elementBytes: number): void {
    if (count < 0) throw new ProtocolError("negative-size", `a container of ${count} elements`);
    if (count * elementBytes > this.end - this.position) throw this.truncated(count * elementBytes);
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) {
      throw new ProtocolError(
        "size-limit",
        `more than ${this.#maxContainerElements} container elements in one message (maxContainerElements)`,
      );
    }
    if (++this.#containerDepth > this.#recursionLimit) throw this.#tooDeep("containers");
  }

  /** The fewest bytes of one element. An empty container's type says nothing, and some writers leave it 0. */
  protected elementBytes(type: number, count: number): number {
    const bytes = this.minimumBytes(type);
    if (bytes === 0 && count > 0) throw unknownType(type);
    return bytes;
  }

  protected truncated(sizeBytes: number): ProtocolError {
    const left = this.end - this.position;
    return new ProtocolError(
      "truncated",
      `the message ends too early: ${sizeBytes} bytes needed, ${left} left`,
    );
  }

  #skipStruct(): void {
    this.readStructBegin();
    for (;;) {
      const { ftype } = this.readFieldBegin();
      if (ftype === Type.STOP) break;
      this.skip(ftype);
      this.readFieldEnd();
    }
    this.readStructEnd();
  }

  #skipMap(): void {
    const { ktype, vtype, size } = this.readMapBegin();
    for (let index = 0; index < size; index++) {
      this.skip(ktype);
      this.skip(vtype);
    }
    this.readMapEnd();
  }

  #tooDeep(what: string): ProtocolError {
    return new ProtocolError(
      "depth-limit",
      `${what} nested deeper than ${this.#recursionLimit} (recursionLimit)`,
    );
  }
}

/** The error for a type number that the protocol does not know. */
export function unknownType(type: number): ProtocolError {
  return new ProtocolError("invalid-data", `unknown type ${type}`);
}
