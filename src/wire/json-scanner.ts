/**
 * Finds the end of an unframed JSON message: see `scanner.ts`. Every byte is looked at once. It knows the grammar
 * as far as the limits need it: which object is a struct, which array a list or a map. What is between the
 * brackets is left to the reader.
 *
 * ```
 * message  [1,"name",type,seqid,struct]
 * struct   {"id":{"type":value},…}
 * list     ["type",count,value,…]
 * map      ["type","type",count,{key:value,…}]
 * ```
 */
import { isJsonSpace } from "./json-header.ts";
import { WireError, type WireLimits } from "./message.ts";
import { ScanBudget, type Scanner } from "./scanner.ts";

/** What a bracket has opened. An array is `ARRAY` until its second value tells whether it is a list or a map. */
const Kind = { MESSAGE: 0, STRUCT: 1, FIELD: 2, ARRAY: 3, LIST: 4, MAP: 5, ENTRIES: 6 } as const;

const Byte = {
  QUOTE: 0x22,
  COMMA: 0x2c,
  COLON: 0x3a,
  OPEN_ARRAY: 0x5b,
  BACKSLASH: 0x5c,
  CLOSE_ARRAY: 0x5d,
  OPEN_OBJECT: 0x7b,
  CLOSE_OBJECT: 0x7d,
} as const;

export class JsonScanner implements Scanner {
  readonly #budget: ScanBudget;
  readonly #kinds: number[] = [];
  #depth = 0;
  /** Whether the scan stands in a string. */
  #inside = false;
  /** Commas seen in the array whose kind is not known yet. */
  #commas = 0;

  constructor(limits: WireLimits) {
    this.#budget = new ScanBudget(limits);
  }

  get done(): boolean {
    return this.#depth === 0;
  }

  /** Begins behind a message's seqid and comma. */
  reset(): void {
    this.#budget.reset();
    this.#depth = 0;
    this.#inside = false;
    this.#push(Kind.MESSAGE);
  }

  scan(bytes: Buffer, at: number, end: number): number {
    let position = at;
    while (position < end && this.#depth > 0) {
      if (this.#inside) position = this.#inString(bytes, position, end);
      else this.#look(bytes[position++]!);
    }
    return position;
  }

  /** Goes on in a string. The byte behind a backslash is passed over, even if it has not come yet. */
  #inString(bytes: Buffer, at: number, end: number): number {
    let position = at;
    while (position < end) {
      const byte = bytes[position]!;
      position += byte === Byte.BACKSLASH ? 2 : 1;
      if (byte === Byte.QUOTE) {
        this.#inside = false;
        break;
      }
    }
    return position;
  }

  #look(byte: number): void {
    switch (byte) {
      case Byte.QUOTE:
        this.#inside = true;
        if (this.#kind === Kind.ARRAY && this.#commas === 1) this.#kinds[this.#depth - 1] = Kind.MAP;
        break;
      case Byte.COMMA:
        this.#comma();
        break;
      case Byte.COLON:
        if (this.#kind === Kind.ENTRIES) this.#budget.addElements(1);
        break;
      case Byte.OPEN_OBJECT:
        this.#openObject();
        break;
      case Byte.CLOSE_OBJECT:
        this.#closeObject();
        break;
      case Byte.OPEN_ARRAY:
        this.#openArray();
        break;
      case Byte.CLOSE_ARRAY:
        this.#closeArray();
        break;
      default:
        if (isJsonSpace(byte)) return;
        if (!isWordByte(byte)) throw badJson(byte);
        if (this.#kind === Kind.ARRAY && this.#commas === 1) this.#kinds[this.#depth - 1] = Kind.LIST;
    }
  }

  #comma(): void {
    const kind = this.#kind;
    if (kind === Kind.MESSAGE || kind === Kind.FIELD) throw badJson(Byte.COMMA);
    if (kind === Kind.ARRAY) this.#commas++;
    // Behind a list's type and count, a comma stands before each element.
    else if (kind === Kind.LIST) this.#budget.addElements(1);
  }

  #openObject(): void {
    const kind = this.#kind;
    if (kind === Kind.ARRAY) throw badJson(Byte.OPEN_OBJECT);
    if (kind === Kind.STRUCT) this.#push(Kind.FIELD);
    else if (kind === Kind.MAP) this.#push(Kind.ENTRIES);
    else {
      this.#budget.enterStruct();
      this.#push(Kind.STRUCT);
    }
  }

  #closeObject(): void {
    const kind = this.#kind;
    if (kind !== Kind.STRUCT && kind !== Kind.FIELD && kind !== Kind.ENTRIES)
      throw badJson(Byte.CLOSE_OBJECT);
    if (kind === Kind.STRUCT) this.#budget.leaveStruct();
    this.#depth--;
  }

  #openArray(): void {
    const kind = this.#kind;
    if (kind !== Kind.FIELD && kind !== Kind.LIST && kind !== Kind.ENTRIES) throw badJson(Byte.OPEN_ARRAY);
    this.#budget.enterContainer();
    this.#commas = 0;
    this.#push(Kind.ARRAY);
  }

  #closeArray(): void {
    const kind = this.#kind;
    if (kind !== Kind.MESSAGE && kind !== Kind.LIST && kind !== Kind.MAP) throw badJson(Byte.CLOSE_ARRAY);
    if (kind !== Kind.MESSAGE) this.#budget.leaveContainer();
    this.#depth--;
  }

  get #kind(): number {
    return this.#kinds[this.#depth - 1]!;
  }

  #push(kind: number): void {
    this.#kinds[this.#depth++] = kind;
  }
}

/** Numbers, and the words that some clients write for doubles which JSON has no number for. */
function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}

function badJson(byte: number): WireError {
  return new WireError(
    "bad-json",
    `${JSON.stringify(String.fromCharCode(byte))} where a JSON message can't have it`,
  );
}
