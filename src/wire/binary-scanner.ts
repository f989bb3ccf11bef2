/**
 * Finds the end of an unframed binary struct without decoding it. It can stop at any byte and go on
 * when more have come, so the work is proportional to the bytes however they arrive. Nothing is
 * allocated for what a message claims: counts are checked against the limits and only counted down.
 */
import { WireError, type WireLimits } from "./message.ts";

const STOP = 0;
const STRING = 11;
const STRUCT = 12;
const MAP = 13;

/** Bytes of each type with a fixed size; 0 for the others, -1 for what is no type. */
const fixedSizes = Int8Array.from([-1, -1, 1, 1, 8, -1, 2, -1, 4, -1, 8, 0, 0, 0, 0, 0, 16]);

/** What one level of nesting still expects. A struct expects fields; a container `left` values. */
interface Level {
  kind: "struct" | "container";
  /** The types of the values to come, in turn: key and value for a map. */
  first: number;
  second: number;
  /** Values still to come; keys and values of a map are counted singly. */
  left: number;
}

/** Scans one struct at a time. */
export class BinaryScanner {
  readonly #limits: WireLimits;
  readonly #levels: Level[] = [];
  #depth = 0;
  /** Counted apart, as the reader does: see `ReadLimits`. */
  #structs = 0;
  #elements = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** Begins a new struct. */
  reset(): void {
    this.#depth = 0;
    this.#structs = 0;
    this.#elements = 0;
    this.#push("struct", 0, 0, 0);
  }

  /** Whether the struct has ended. */
  get done(): boolean {
    return this.#depth === 0;
  }

  /**
   * Goes on at `at`. Returns where the next piece begins that is not whole in `bytes[at, end)`; this
   * can lie behind `end` when a value is skipped whose bytes have not come yet.
   *
   * @throws {WireError} for a type, a length or a count that can't be
   */
  scan(bytes: Buffer, at: number, end: number): number {
    let position = at;
    while (this.#depth > 0 && position <= end) {
      const level = this.#levels[this.#depth - 1]!;
      const next =
        level.kind === "struct"
          ? this.#field(bytes, position, end)
          : this.#element(level, bytes, position, end);
      if (next < 0) break;
      position = next;
    }
    return position;
  }

  #field(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1;
    const type = bytes[at]!;
    if (type === STOP) {
      this.#depth--;
      this.#structs--;
      return at + 1;
    }
    return this.#value(type, bytes, at + 3, end);
  }

  #element(level: Level, bytes: Buffer, at: number, end: number): number {
    if (level.left === 0) {
      this.#depth--;
      return at;
    }
    const type = level.left % 2 === 0 ? level.first : level.second;
    const size = fixedSizes[type]!;
    if (size > 0 && level.first === level.second) {
      const skipped = level.left * size;
      level.left = 0;
      return at + skipped;
    }
    return this.#value(type, bytes, at, end, level);
  }

  /** Skips or enters a value of `type`. Counts it down in `level` only when it could be begun. */
  #value(type: number, bytes: Buffer, at: number, end: number, level?: Level): number {
    const size = fixedSizes[type] ?? -1;
    if (size < 0) throw new WireError("bad-type", `a value of type ${type}, which Thrift does not have`);
    if (size > 0) {
      if (level !== undefined) level.left--;
      return at + size;
    }
    const headerBytes = type === STRUCT ? 0 : type === STRING ? 4 : type === MAP ? 6 : 5;
    if (at + headerBytes > end) return -1;
    if (level !== undefined) level.left--;
    if (type === STRUCT) this.#push("struct", 0, 0, 0);
    else if (type === STRING) return at + 4 + this.#length(bytes.readInt32BE(at), "string");
    else if (type === MAP) this.#container(bytes[at]!, bytes[at + 1]!, bytes.readInt32BE(at + 2), 2);
    else this.#container(bytes[at]!, bytes[at]!, bytes.readInt32BE(at + 1), 1);
    return at + headerBytes;
  }

  #container(first: number, second: number, count: number, perElement: number): void {
    this.#length(count, "container");
    this.#elements += count;
    if (this.#elements > this.#limits.maxContainerElements) {
      throw new WireError(
        "too-many-elements",
        `more than ${this.#limits.maxContainerElements} container elements in a message (maxContainerElements)`,
      );
    }
    if (count > 0 && ((fixedSizes[first] ?? -1) < 0 || (fixedSizes[second] ?? -1) < 0)) {
      throw new WireError(
        "bad-type",
        `a container of type ${first} and ${second}, which Thrift does not have`,
      );
    }
    this.#push("container", first, second, count * perElement);
  }

  #length(length: number, what: string): number {
    if (length < 0 || length > this.#limits.maxMessageSizeBytes) {
      throw new WireError("bad-length", `a ${what} of length ${length}`);
    }
    return length;
  }

  #push(kind: Level["kind"], first: number, second: number, left: number): void {
    if (kind === "struct") this.#structs++;
    const nested = kind === "struct" ? this.#structs : this.#depth + 1 - this.#structs;
    if (nested > this.#limits.recursionLimit) {
      throw new WireError("too-deep", `nesting deeper than ${this.#limits.recursionLimit} (recursionLimit)`);
    }
    const level = this.#levels[this.#depth];
    if (level === undefined) this.#levels.push({ kind, first, second, left });
    else Object.assign(level, { kind, first, second, left });
    this.#depth++;
  }
}
