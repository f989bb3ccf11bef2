/**
 * What the scanners of the binary and the compact protocol share. A scanner finds the end of an unframed
 * message's struct without decoding it. It can stop at any byte and go on when more have come, so the work
 * is proportional to the bytes however they arrive. Nothing is allocated for what a message claims: counts
 * are checked against the limits and only counted down.
 */
import { WireError, type WireLimits } from "./message.ts";

/** Finds the end of one message at a time. */
export interface Scanner {
  /** Whether the message has ended. */
  readonly done: boolean;
  /** Begins a new message, whose header has been read. */
  reset(): void;
  /**
   * Goes on at `at`. Returns where the next piece begins that is not whole in `bytes[at, end)`; this can lie
   * behind `end` when a value is skipped whose bytes have not come yet.
   *
   * @throws {WireError} for what can't be in a message, or breaks a limit
   */
  scan(bytes: Buffer, at: number, end: number): number;
}

/** Counts depth and elements, of structs and containers apart, as the readers do. */
export class ScanBudget {
  readonly #limits: WireLimits;
  #structs = 0;
  #containers = 0;
  #elements = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  reset(): void {
    this.#structs = 0;
    this.#containers = 0;
    this.#elements = 0;
  }

  enterStruct(): void {
    if (++this.#structs > this.#limits.recursionLimit) throw this.#tooDeep("structs");
  }

  leaveStruct(): void {
    this.#structs--;
  }

  enterContainer(): void {
    if (++this.#containers > this.#limits.recursionLimit) throw this.#tooDeep("containers");
  }

  leaveContainer(): void {
    this.#containers--;
  }

  /** Counts elements of a container. */
  addElements(count: number): void {
    this.#elements += count;
    if (this.#elements > this.#limits.maxContainerElements) {
      throw new WireError(
        "too-many-elements",
        `more than ${this.#limits.maxContainerElements} container elements in a message (maxContainerElements)`,
      );
    }
  }

  /** Checks a length or a count that was read. */
  checkLength(length: number, what: string): number {
    if (length < 0) throw new WireError("bad-length", `a ${what} of length ${length}`);
    const { maxMessageSizeBytes } = this.#limits;
    if (length <= maxMessageSizeBytes) return length;
    throw new WireError(
      "message-too-large",
      `a ${what} of length ${length}; maxMessageSize is ${maxMessageSizeBytes}`,
    );
  }

  #tooDeep(what: string): WireError {
    return new WireError(
      "too-deep",
      `${what} nested deeper than ${this.#limits.recursionLimit} (recursionLimit)`,
    );
  }
}

/** What one level of nesting still expects. A struct expects fields; a container `left` values. */
interface Level {
  kind: "struct" | "container";
  /** The types of the values to come, in turn: key and value for a map. */
  first: number;
  second: number;
  /** Values still to come; keys and values of a map are counted singly. */
  left: number;
}

/** Scans one struct at a time, by the types that stand before its values. */
export abstract class StructScanner implements Scanner {
  protected readonly budget: ScanBudget;
  readonly #levels: Level[] = [];
  #depth = 0;

  constructor(limits: WireLimits) {
    this.budget = new ScanBudget(limits);
  }

  reset(): void {
    this.#depth = 0;
    this.budget.reset();
    this.enterStruct();
  }

  get done(): boolean {
    return this.#depth === 0;
  }

  scan(bytes: Buffer, at: number, end: number): number {
    let position = at;
    while (this.#depth > 0 && position <= end) {
      const level = this.#levels[this.#depth - 1]!;
      const next =
        level.kind === "struct"
          ? this.field(bytes, position, end)
          : this.#element(level, bytes, position, end);
      if (next < 0) break;
      position = next;
    }
    return position;
  }

  /** The size of every value of a type in a container, in bytes; 0 when they differ, -1 for what is no type. */
  protected abstract fixedBytes(type: number): number;
  /** Skips or enters a field at `at`, or leaves the struct. Returns where to go on, -1 when it is not whole. */
  protected abstract field(bytes: Buffer, at: number, end: number): number;
  /** Skips or enters a value of a container. Returns where to go on, -1 when it is not whole. */
  protected abstract value(type: number, bytes: Buffer, at: number, end: number): number;

  protected enterStruct(): void {
    this.budget.enterStruct();
    this.#push("struct", 0, 0, 0);
  }

  protected leaveStruct(): void {
    this.budget.leaveStruct();
    this.#depth--;
  }

  /** Enters a container of `count` elements. A list or set gives its type twice. */
  protected enterContainer(first: number, second: number, count: number, valuesPerElement: 1 | 2): void {
    this.budget.addElements(this.budget.checkLength(count, "container"));
    if (count > 0 && (this.fixedBytes(first) < 0 || this.fixedBytes(second) < 0))
      throw badType(first, second);
    this.budget.enterContainer();
    this.#push("container", first, second, count * valuesPerElement);
  }

  #element(level: Level, bytes: Buffer, at: number, end: number): number {
    if (level.left === 0) {
      this.budget.leaveContainer();
      this.#depth--;
      return at;
    }
    const type = level.left % 2 === 0 ? level.first : level.second;
    const size = this.fixedBytes(type);
    if (size > 0) {
      const count = level.first === level.second ? level.left : 1;
      level.left -= count;
      return at + count * size;
    }
    // Counted down before its value is entered, which puts another level on top; put back if it is not whole.
    level.left--;
    const next = this.value(type, bytes, at, end);
    if (next < 0) level.left++;
    return next;
  }

  #push(kind: Level["kind"], first: number, second: number, left: number): void {
    const level = this.#levels[this.#depth++];
    if (level === undefined) {
      this.#levels.push({ kind, first, second, left });
      return;
    }
    level.kind = kind;
    level.first = first;
    level.second = second;
    level.left = left;
  }
}

/** The error for a type that does not exist. */
export function badType(...types: number[]): WireError {
  return new WireError("bad-type", `a value of type ${types.join(" and ")}, which Thrift does not have`);
}
