import type { NoTransport } from "./protocol.ts";
import { ProtocolError } from "./protocol-error.ts";
import { DEFAULT_READ_LIMITS } from "./read-limits.ts";
import { type CodingBuffer, encodeText } from "./text-coding.ts";
import { checkedUuid, notTextOrBytes } from "./value-checks.ts";

export interface WriterOptions {
  /** What the buffer begins with and shrinks back to. Default 16 KiB. */
  readonly initialCapacityBytes?: number;
  /**
   * The most that may lie in the buffer; more throws ProtocolError (size-limit). Default 2^31 − 1, the most
   * that a frame can hold.
   */
  readonly maxBytes?: number;
  /** How deep structs may be nested: deeper ones no reader with the default limit would take. Default 64. */
  readonly recursionLimit?: number;
}

const KEPT_BYTES = 1 << 20;
// A UTF-16 unit is 3 bytes of UTF-8 at most. Up to here room for that is made without counting.
const COUNTED_FROM_LENGTH = 1024;

/**
 * What both protocols share in writing messages into a buffer: room, text, and the proof that each container
 * got as many elements as its header announced. A sparse array would fail it: its length counts holes, which
 * generated code leaves out.
 */
export abstract class BufferWriter {
  buffer: Buffer;
  position = 0;
  /** Values written so far in the innermost container or struct. */
  protected written = 0;
  protected structDepth = 0;
  #start = 0;
  // By nesting, structs and containers together. Never emptied: setting an array's length costs more than a
  // whole field.
  #nesting = 0;
  readonly #outerWritten: number[] = [];
  readonly #announced: number[] = [];
  readonly #initialCapacityBytes: number;
  readonly #maxBytes: number;
  readonly #recursionLimit: number;
  readonly #transport: NoTransport = { flush() {} };

  constructor(options: WriterOptions = {}) {
    this.#initialCapacityBytes = options.initialCapacityBytes ?? 16_384;
    this.#maxBytes = options.maxBytes ?? 0x7fffffff;
    this.#recursionLimit = options.recursionLimit ?? DEFAULT_READ_LIMITS.recursionLimit;
    this.buffer = Buffer.allocUnsafeSlow(this.#initialCapacityBytes);
  }

  reset(position: number = this.#start): void {
    if (!(position >= 0 && position <= this.buffer.length)) {
      throw new RangeError(`position ${position} does not lie in a buffer of ${this.buffer.length} bytes`);
    }
    if (this.buffer.length > KEPT_BYTES) this.#shrink(position);
    this.#start = position;
    this.position = position;
    this.written = 0;
    this.structDepth = 0;
    this.#nesting = 0;
  }

  reserve(sizeBytes: number): number {
    return this.room(sizeBytes);
  }

  writeMessageEnd(): void {}

  writeStructBegin(_name?: string): void {
    if (++this.structDepth > this.#recursionLimit) {
      throw new ProtocolError(
        "depth-limit",
        `structs nested deeper than ${this.#recursionLimit} (recursionLimit); does a value contain itself?`,
      );
    }
    this.#outerWritten[this.#nesting++] = this.written;
  }

  writeStructEnd(): void {
    this.structDepth--;
    this.written = this.#outerWritten[--this.#nesting]! + 1;
  }

  writeFieldEnd(): void {}

  writeMapEnd(): void {
    this.#leaveContainer("writeMapEnd");
  }

  writeListEnd(): void {
    this.#leaveContainer("writeListEnd");
  }

  writeSetEnd(): void {
    this.#leaveContainer("writeSetEnd");
  }

  writeUuid(value: string): void {
    const bytes = checkedUuid(value, "writeUuid");
    this.written++;
    this.put(bytes);
  }

  incrementRecursionDepth(): void {}

  decrementRecursionDepth(): void {}

  flush(): void {}

  getTransport(): NoTransport {
    return this.#transport;
  }

  /** Claims so many bytes and returns where they begin; `buffer` may be another one afterwards. */
  protected room(sizeBytes: number): number {
    const at = this.position;
    const end = at + sizeBytes;
    if (end > this.buffer.length) this.#grow(end);
    this.position = end;
    return at;
  }

  /** `count` values, two for each entry of a map, belong to the container that begins here. */
  protected enterContainer(count: number): void {
    this.#announced[this.#nesting] = count;
    this.#outerWritten[this.#nesting++] = this.written;
    this.written = 0;
  }

  /**
   * The most bytes that a text can take: exact for long ones, so that they don't make the buffer grow
   * threefold.
   */
  protected mostBytes(text: string): number {
    return text.length < COUNTED_FROM_LENGTH ? text.length * 3 : Buffer.byteLength(text);
  }

  /** Puts text at `position`, where room for `mostBytes` has been claimed before, and returns its size. */
  protected putText(text: string): number {
    const sizeBytes = encodeText(this.buffer as CodingBuffer, this.position, text);
    this.position += sizeBytes;
    return sizeBytes;
  }

  /** The bytes of a value that is neither string nor number, or an error that names the method. */
  protected bytesOf(value: unknown, method: string): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw notTextOrBytes(value, method);
  }

  protected put(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }

  #leaveContainer(method: string): void {
    const announced = this.#announced[--this.#nesting];
    if (this.written !== announced) {
      throw new ProtocolError(
        "invalid-data",
        `${method}: ${announced} values were announced and ${this.written} written; is it a sparse array?`,
      );
    }
    this.written = this.#outerWritten[this.#nesting]! + 1;
  }

  #grow(neededBytes: number): void {
    if (neededBytes > this.#maxBytes) {
      throw new ProtocolError(
        "size-limit",
        `a message would take more than ${this.#maxBytes} bytes (maxBytes)`,
      );
    }
    let capacity = Math.max(this.buffer.length, 64);
    while (capacity < neededBytes) capacity *= 2;
    this.#replace(Math.min(capacity, this.#maxBytes), this.position);
  }

  // What lies before the position is kept, so a position beyond the initial capacity keeps the large buffer.
  #shrink(position: number): void {
    const initial = this.#initialCapacityBytes;
    if (position <= initial && initial < this.buffer.length) this.#replace(initial, position);
  }

  #replace(capacityBytes: number, keptBytes: number): void {
    const next = Buffer.allocUnsafeSlow(capacityBytes);
    this.buffer.copy(next, 0, 0, keptBytes);
    this.buffer = next;
  }
}
