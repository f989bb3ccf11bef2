import fc from "fast-check";
import type Int64 from "node-int64";
import { toBigInt, toInt64 } from "../../../../src/wire/int64.ts";
import type { ProtocolReader, ProtocolWriter } from "../../../../src/wire/protocol.ts";
import { Type } from "../../../../src/wire/protocol.ts";

/** A type as IDL would declare it; field ids are unique within a struct. */
export type Schema =
  | { readonly kind: ScalarKind }
  | { readonly kind: "list" | "set"; readonly element: Schema }
  | { readonly kind: "map"; readonly key: Schema; readonly value: Schema }
  | { readonly kind: "struct"; readonly fields: readonly Field[] };

export interface Field {
  readonly id: number;
  readonly schema: Schema;
}

type ScalarKind = "bool" | "byte" | "i16" | "i32" | "i64" | "double" | "string" | "binary" | "uuid";

/** i64 as bigint, maps as pairs, structs as one entry per field, undefined where it is not set. */
export type Value = boolean | number | bigint | string | Buffer | readonly Value[] | undefined;

/** What generated code calls. The package's protocols have it too. */
export type Output = Omit<ProtocolWriter, "buffer" | "position" | "reset" | "reserve" | "getTransport">;
export type Input = Omit<ProtocolReader, "position" | "reset" | "getTransport">;

const WIRE_TYPE: Readonly<Record<Schema["kind"], number>> = {
  bool: Type.BOOL,
  byte: Type.BYTE,
  i16: Type.I16,
  i32: Type.I32,
  i64: Type.I64,
  double: Type.DOUBLE,
  string: Type.STRING,
  binary: Type.STRING,
  uuid: Type.UUID,
  list: Type.LIST,
  set: Type.SET,
  map: Type.MAP,
  struct: Type.STRUCT,
};

export function writeValue(output: Output, schema: Schema, value: Value): void {
  switch (schema.kind) {
    case "struct":
      writeStruct(output, schema.fields, value as readonly Value[]);
      break;
    case "list":
    case "set":
      writeElements(output, schema, value as readonly Value[]);
      break;
    case "map": {
      const pairs = value as readonly (readonly [Value, Value])[];
      output.writeMapBegin(WIRE_TYPE[schema.key.kind], WIRE_TYPE[schema.value.kind], pairs.length);
      for (const [key, held] of pairs) {
        writeValue(output, schema.key, key);
        writeValue(output, schema.value, held);
      }
      output.writeMapEnd();
      break;
    }
    default:
      writeScalar(output, schema.kind, value);
  }
}

function writeStruct(output: Output, fields: readonly Field[], values: readonly Value[]): void {
  output.writeStructBegin("Random");
  fields.forEach(({ id, schema }, index) => {
    if (values[index] === undefined) return;
    output.writeFieldBegin("field", WIRE_TYPE[schema.kind], id);
    writeValue(output, schema, values[index]);
    output.writeFieldEnd();
  });
  output.writeFieldStop();
  output.writeStructEnd();
}

function writeElements(
  output: Output,
  schema: { kind: "list" | "set"; element: Schema },
  values: readonly Value[],
): void {
  const type = WIRE_TYPE[schema.element.kind];
  if (schema.kind === "list") output.writeListBegin(type, values.length);
  else output.writeSetBegin(type, values.length);
  for (const element of values) writeValue(output, schema.element, element);
  if (schema.kind === "list") output.writeListEnd();
  else output.writeSetEnd();
}

function writeScalar(output: Output, kind: ScalarKind, value: Value): void {
  switch (kind) {
    case "bool":
      output.writeBool(value);
      break;
    case "byte":
      output.writeByte(value as number);
      break;
    case "i16":
      output.writeI16(value as number);
      break;
    case "i32":
      output.writeI32(value as number);
      break;
    case "i64":
      output.writeI64(toInt64(value as bigint));
      break;
    case "double":
      output.writeDouble(value as number);
      break;
    case "string":
      output.writeString(value as string);
      break;
    case "binary":
      output.writeBinary(value as Buffer);
      break;
    case "uuid":
      output.writeUuid(value as string);
      break;
  }
}

/** Reads the value; fields that `knows` refuses are skipped, as are fields that the schema does not have. */
export function readValue(input: Input, schema: Schema, knows: (id: number) => boolean = () => true): Value {
  switch (schema.kind) {
    case "struct":
      return readStruct(input, schema.fields, knows);
    case "list":
    case "set": {
      const { size } = schema.kind === "list" ? input.readListBegin() : input.readSetBegin();
      const elements = Array.from({ length: size }, () => readValue(input, schema.element, knows));
      if (schema.kind === "list") input.readListEnd();
      else input.readSetEnd();
      return elements;
    }
    case "map": {
      const { size } = input.readMapBegin();
      const pairs: Value[] = [];
      for (let index = 0; index < size; index++) {
        const key = readValue(input, schema.key, knows);
        pairs.push([key, readValue(input, schema.value, knows)]);
      }
      input.readMapEnd();
      return pairs;
    }
    default:
      return readScalar(input, schema.kind);
  }
}

function readStruct(input: Input, fields: readonly Field[], knows: (id: number) => boolean): Value {
  const values: Value[] = fields.map(() => undefined);
  input.readStructBegin();
  for (;;) {
    const { ftype, fid } = input.readFieldBegin();
    if (ftype === Type.STOP) break;
    const index = fields.findIndex(({ id }) => id === fid);
    const field = fields[index];
    if (field && knows(fid) && WIRE_TYPE[field.schema.kind] === ftype) {
      values[index] = readValue(input, field.schema, knows);
    } else {
      input.skip(ftype);
    }
    input.readFieldEnd();
  }
  input.readStructEnd();
  return values;
}

function readScalar(input: Input, kind: ScalarKind): Value {
  switch (kind) {
    case "bool":
      return input.readBool();
    case "byte":
      return input.readByte();
    case "i16":
      return input.readI16();
    case "i32":
      return input.readI32();
    case "i64":
      return toBigInt(input.readI64() as Int64);
    case "double":
      return input.readDouble();
    case "string":
      return input.readString();
    case "binary":
      return input.readBinary();
    case "uuid":
      return input.readUuid();
  }
}

/** What a reader that skips these fields gets out of a value. */
export function onlyKnown(schema: Schema, value: Value, knows: (id: number) => boolean): Value {
  if (value === undefined) return undefined;
  switch (schema.kind) {
    case "struct":
      return schema.fields.map((field, index) =>
        knows(field.id) ? onlyKnown(field.schema, (value as readonly Value[])[index], knows) : undefined,
      );
    case "list":
    case "set":
      return (value as readonly Value[]).map((element) => onlyKnown(schema.element, element, knows));
    case "map":
      return (value as readonly (readonly [Value, Value])[]).map(([key, held]) => [
        onlyKnown(schema.key, key, knows),
        onlyKnown(schema.value, held, knows),
      ]);
    default:
      return value;
  }
}

export interface SchemaChoices {
  readonly doubles?: fc.Arbitrary<number>;
  /** Default true. */
  readonly boolsInContainers?: boolean;
}

const edges = <T>(arbitrary: fc.Arbitrary<T>, ...values: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(...values) });

function scalarValue(kind: ScalarKind, doubles: fc.Arbitrary<number>): fc.Arbitrary<Value> {
  switch (kind) {
    case "bool":
      return fc.boolean();
    case "byte":
      return edges(fc.integer({ min: -128, max: 127 }), -128, 127);
    case "i16":
      return edges(fc.integer({ min: -32768, max: 32767 }), -32768, 32767, 63, 64, -64, -65);
    case "i32":
      return edges(fc.integer(), -2147483648, 2147483647, 0, -1);
    case "i64":
      return edges(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), ...INT64_EDGES);
    case "double":
      return doubles;
    case "string":
      return fc.oneof(
        fc.string({ maxLength: 40 }),
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.string({ unit: "grapheme", maxLength: 60 }),
        fc.constantFrom(
          "",
          "é".repeat(64),
          "a".repeat(127),
          "a".repeat(128),
          "a".repeat(1100),
          "𝄞".repeat(600),
        ),
      );
    case "binary":
      return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    case "uuid":
      return fc.uuid();
  }
}

/** Where the ways of writing a 64-bit integer differ. */
export const INT64_EDGES: readonly bigint[] = [
  0n,
  -1n,
  1n,
  -(2n ** 63n),
  2n ** 63n - 1n,
  2n ** 53n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  -(2n ** 53n),
  -(2n ** 53n) - 1n,
  -(2n ** 53n) + 1n,
  2n ** 32n,
  2n ** 32n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  -(2n ** 32n),
];

const SCALARS: readonly ScalarKind[] = [
  "bool",
  "byte",
  "i16",
  "i32",
  "i64",
  "double",
  "string",
  "binary",
  "uuid",
];

function anySchema(depth: number, inContainer: boolean, choices: SchemaChoices): fc.Arbitrary<Schema> {
  const kinds = SCALARS.filter(
    (kind) => kind !== "bool" || !inContainer || choices.boolsInContainers !== false,
  );
  const scalar: fc.Arbitrary<Schema> = fc.constantFrom(...kinds).map((kind) => ({ kind }));
  if (depth === 0) return scalar;
  const element = anySchema(depth - 1, true, choices);
  const list = fc.record({ kind: fc.constantFrom("list" as const, "set" as const), element });
  const map = fc.record({ kind: fc.constant("map" as const), key: element, value: element });
  return fc.oneof({ weight: 4, arbitrary: scalar }, list, map, structSchema(depth - 1, choices));
}

function structSchema(depth: number, choices: SchemaChoices): fc.Arbitrary<Schema> {
  const id = edges(fc.integer({ min: 1, max: 40 }), -1, -32768, 32767, 300);
  const field = fc.record({ id, schema: anySchema(depth, false, choices) });
  return fc
    .uniqueArray(field, { selector: ({ id }) => id, maxLength: 6 })
    .map((fields) => ({ kind: "struct" as const, fields }));
}

function anyValue(schema: Schema, doubles: fc.Arbitrary<number>): fc.Arbitrary<Value> {
  switch (schema.kind) {
    case "struct":
      return fc.tuple(
        ...schema.fields.map((field) =>
          fc.option(anyValue(field.schema, doubles), { nil: undefined, freq: 6 }),
        ),
      );
    case "list":
    case "set":
      return fc.array(anyValue(schema.element, doubles), { maxLength: 20, size: "small" });
    case "map":
      return fc.array(fc.tuple(anyValue(schema.key, doubles), anyValue(schema.value, doubles)), {
        maxLength: 5,
      });
    default:
      return scalarValue(schema.kind, doubles);
  }
}

/** A struct's schema, up to three levels deep, and a value of it. */
export function structAndValue(choices: SchemaChoices = {}): fc.Arbitrary<{ schema: Schema; value: Value }> {
  const doubles = choices.doubles ?? fc.double();
  return structSchema(3, choices).chain((schema) =>
    anyValue(schema, doubles).map((value) => ({ schema, value })),
  );
}
