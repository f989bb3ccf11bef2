/**
 * Finds out the types of generated code, which does not tell them: it is given a message of fields of all ids and
 * types, and what it reads and what it skips shows what it expects.
 */
import type { DeclaredType } from "./declarations.ts";

/** A type: a scalar's name, a struct, or a container with its parts. */
export type Shape =
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "struct"; readonly made: object | undefined }
  | { readonly kind: "list" | "set"; readonly of: Shape }
  | { readonly kind: "map"; readonly key: Shape; readonly value: Shape };

/** A field that generated code reads. */
export interface SpiedField {
  readonly id: number;
  /** What it reads of it, container before content. */
  readonly tokens: readonly string[];
}

interface Candidate {
  readonly fid: number;
  readonly ftype: number;
}

/** All types that a field can have, by their numbers. */
const fieldTypes: readonly number[] = [2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15, 16];
/** Fields without an id in the IDL get one from -1 down. */
const lowestId = -32;
const highestId = 255;

/** Every field that may be there. */
function everyCandidate(): Candidate[] {
  const all: Candidate[] = [];
  for (let fid = lowestId; fid <= highestId; fid++) for (const ftype of fieldTypes) all.push({ fid, ftype });
  return all;
}

/** The fields that `read` takes out of what it is given. */
export function spyOn(read: (input: TypeSpy) => void): SpiedField[] {
  const spy = new TypeSpy(everyCandidate());
  read(spy);
  return spy.found;
}

/** Has `read` read one field alone, so that what it made of it can be told from the others. */
export function readAlone(field: SpiedField, read: (input: TypeSpy) => void): void {
  read(new TypeSpy(fieldTypes.map((ftype) => ({ fid: field.id, ftype }))));
}

/** The shape that the tokens of a field tell; `value` is what generated code made of it. */
export function shapeOf(tokens: readonly string[], value: unknown): Shape {
  let at = 0;
  const next = (made: unknown): Shape => {
    const token = tokens[at++] ?? "void";
    if (token === "list" || token === "set")
      return { kind: token, of: next((made as unknown[] | null)?.[0]) };
    if (token === "map") {
      const key = next(undefined);
      return { kind: "map", key, value: next(Object.values((made as object | null) ?? {})[0]) };
    }
    if (token === "struct") return { kind: "struct", made: made as object | undefined };
    return { kind: "scalar", name: token };
  };
  return next(value);
}

/** A shape as the IDL writes it. @param declared which of its i32 are enums */
export function typeName(shape: Shape, declared?: DeclaredType): string {
  switch (shape.kind) {
    case "scalar":
      return declared?.kind === "enum" && shape.name === "i32" ? declared.name : shape.name;
    case "struct":
      return shape.made === undefined ? "struct" : structName(shape.made);
    case "map":
      return declared?.kind === "map"
        ? `map<${typeName(shape.key, declared.key)}, ${typeName(shape.value, declared.value)}>`
        : `map<${typeName(shape.key)}, ${typeName(shape.value)}>`;
    default:
      return `${shape.kind}<${typeName(shape.of, declared?.kind === "list" ? declared.of : undefined)}>`;
  }
}

/** The name of a struct in the IDL. Its class has none, but it writes it, first of all. */
export function structName(struct: object): string {
  let name: string | undefined;
  const write = (property: string | symbol) => (first: unknown) => {
    if (property === "writeStructBegin") name ??= String(first);
  };
  const output = new Proxy({}, { get: (_, property) => write(property) });
  (struct as { write(output: object): void }).write(output);
  return name ?? "struct";
}

/** A type as the code reads it, and what its declaration adds to that. */
export interface Typed {
  readonly shape: Shape;
  readonly declared: DeclaredType;
}

/** The structs and scalars that a type is made of. */
export function partsOf({ shape, declared }: Typed): Typed[] {
  switch (shape.kind) {
    case "scalar":
    case "struct":
      return [{ shape, declared }];
    case "map": {
      const { key, value } = declared?.kind === "map" ? declared : { key: undefined, value: undefined };
      return [
        ...partsOf({ shape: shape.key, declared: key }),
        ...partsOf({ shape: shape.value, declared: value }),
      ];
    }
    default:
      return partsOf({ shape: shape.of, declared: declared?.kind === "list" ? declared.of : undefined });
  }
}

/** Stands where generated code expects a protocol to read from. Containers have one element, structs in structs none. */
export class TypeSpy {
  readonly found: SpiedField[] = [];
  readonly #candidates: readonly Candidate[];
  #next = 0;
  #depth = 0;
  #tokens: string[] = [];
  #skipped = true;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
  }

  readStructBegin(): { fname: string } {
    if (this.#depth++ > 0) this.#tokens.push("struct");
    return { fname: "" };
  }

  readStructEnd(): void {
    this.#depth--;
  }

  readFieldBegin(): { fname: null; ftype: number; fid: number } {
    const candidate = this.#depth === 1 ? this.#candidates[this.#next++] : undefined;
    if (candidate === undefined) return { fname: null, ftype: 0, fid: 0 };
    this.#tokens = [];
    this.#skipped = false;
    return { fname: null, ...candidate };
  }

  readFieldEnd(): void {
    if (this.#depth !== 1 || this.#skipped) return;
    this.found.push({ id: this.#candidates[this.#next - 1]!.fid, tokens: this.#tokens });
    this.#skipped = true;
  }

  skip(): void {
    if (this.#depth === 1) this.#skipped = true;
  }

  readMapBegin(): { ktype: number; vtype: number; size: number } {
    this.#tokens.push("map");
    return { ktype: 0, vtype: 0, size: 1 };
  }

  readListBegin(): { etype: number; size: number } {
    this.#tokens.push("list");
    return { etype: 0, size: 1 };
  }

  readSetBegin(): { etype: number; size: number } {
    this.#tokens.push("set");
    return { etype: 0, size: 1 };
  }

  readMapEnd(): void {}
  readListEnd(): void {}
  readSetEnd(): void {}
  readMessageBegin(): { fname: string; mtype: number; rseqid: number } {
    return { fname: "", mtype: 2, rseqid: 1 };
  }
  readMessageEnd(): void {}
  incrementRecursionDepth(): void {}
  decrementRecursionDepth(): void {}

  readBool(): boolean {
    return this.#scalar("bool", true);
  }
  readByte(): number {
    return this.#scalar("byte", 77);
  }
  readI16(): number {
    return this.#scalar("i16", 77);
  }
  readI32(): number {
    return this.#scalar("i32", 77);
  }
  readI64(): number {
    return this.#scalar("i64", 77);
  }
  readDouble(): number {
    return this.#scalar("double", 77);
  }
  readString(): string {
    return this.#scalar("string", "spied");
  }
  readBinary(): Buffer {
    return this.#scalar("binary", Buffer.from("spied"));
  }
  readUuid(): string {
    return this.#scalar("uuid", "spied");
  }

  #scalar<T>(name: string, value: T): T {
    this.#tokens.push(name);
    return value;
  }
}
