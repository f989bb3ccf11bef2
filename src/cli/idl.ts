/** A service as its IDL has it, told from the generated code alone. */
import type { GeneratedService } from "../service/define.ts";
import { methodsOf } from "../service/generated.ts";
import { parameterNames, toJson } from "./call-codec.ts";
import { type DeclaredMethod, type DeclaredType, declaredMethod } from "./declarations.ts";
import {
  partsOf,
  readAlone,
  type SpiedField,
  shapeOf,
  spyOn,
  structName,
  type Typed,
  type TypeSpy,
  typeName,
} from "./type-spy.ts";

/** A name with its type. */
export interface Named {
  readonly name: string;
  readonly type: string;
}

/** A field of a struct. Without `presence` it is of the IDL's default requiredness, or that is not told. */
export interface FieldIdl extends Named {
  readonly presence?: "required" | "optional";
  /** What it is when nobody sets it, as JSON; enums are numbers. */
  readonly default?: unknown;
}

export interface MethodIdl {
  readonly name: string;
  readonly oneway: boolean;
  readonly result: string;
  readonly parameters: readonly Named[];
  /** The exceptions that it declares. */
  readonly throws: readonly string[];
}

export interface ServiceIdl {
  readonly methods: readonly MethodIdl[];
  /** Structs and exceptions that occur, with their fields. */
  readonly structs: readonly StructIdl[];
  /** Enums that occur, as far as the code's declarations are found. */
  readonly enums: readonly EnumIdl[];
}

export interface StructIdl {
  readonly name: string;
  readonly fields: readonly FieldIdl[];
}

export interface EnumIdl {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

type Member = (...values: unknown[]) => unknown;
type Members = Record<string, Member | undefined>;
interface Readable {
  read(input: TypeSpy): void;
}

/** Describes a service. */
export function describeIdl(service: GeneratedService): ServiceIdl {
  const types: Typed[] = [];
  const methods = methodsOf(service).map(({ name, oneway }) => {
    const declared = declaredMethod(service, name);
    const parameters = parametersOf(service, name, declared, types);
    const { result, throws } = oneway
      ? { result: "void", throws: [] }
      : resultOf(service, name, declared, types);
    return { name, oneway, result, parameters, throws };
  });
  // The structs bring further types.
  return { methods, structs: structsOf(types), enums: enumsOf(types) };
}

/** What a processor hands to a handler, and in which place. */
function parametersOf(
  service: GeneratedService,
  method: string,
  declared: DeclaredMethod | undefined,
  seen: Typed[],
): Named[] {
  let given: unknown[] = [];
  // With this length the processor takes it for a function that is given a callback, and waits for nothing.
  const take = (...args: unknown[]): void => {
    given = args;
  };
  const handler = Object.defineProperty(take, "length", { value: 255 });
  const Processor = service.Processor as unknown as new (handler: object) => Members;
  const processor = new Processor({ [method]: handler });
  const read = (input: TypeSpy): void => void processor[`process_${method}`]!(0, input, mute);
  const names = parameterNames(service.Client.prototype[`send_${method}` as never] as Member);
  const types = new Map<number, string>();
  for (const field of spyOn(read)) {
    readAlone(field, read);
    const place = given.slice(0, names.length).findIndex((value) => value !== null && value !== undefined);
    types.set(place, nameOf(field, given[place], declared?.parameters[place], seen));
  }
  return names.map((name, place) => ({ name, type: types.get(place) ?? "?" }));
}

function resultOf(
  service: GeneratedService,
  method: string,
  declared: DeclaredMethod | undefined,
  seen: Typed[],
): { result: string; throws: string[] } {
  const Client = service.Client as unknown as new (
    output: object,
    protocol: unknown,
  ) => Members & {
    _reqs: Record<number, (error: unknown, result: unknown) => void>;
  };
  const client = new Client({ flush() {} }, undefined);
  let answer: { readonly error: unknown; readonly result: unknown } = { error: null, result: null };
  const read = (input: TypeSpy): void => {
    client._reqs[1] = (error, result) => {
      answer = { error, result };
    };
    client[`recv_${method}`]!(input, 2, 1);
  };
  let result = "void";
  const throws: string[] = [];
  for (const field of spyOn(read)) {
    readAlone(field, read);
    if (field.id === 0) result = nameOf(field, answer.result, declared?.result, seen);
    else throws.push(nameOf(field, answer.error, undefined, seen));
  }
  return { result, throws };
}

/** @param seen gets the type */
function nameOf(field: SpiedField, value: unknown, declared: DeclaredType, seen: Typed[]): string {
  const shape = shapeOf(field.tokens, value);
  seen.push({ shape, declared });
  return typeName(shape, declared);
}

/** The structs of the types, and those in their fields. */
function structsOf(types: Typed[]): StructIdl[] {
  const known = new Map<string, { name: string; fields: FieldIdl[] }>();
  // It grows while it is gone through: fields bring further structs.
  for (const type of types) {
    for (const { shape, declared } of partsOf(type)) {
      if (shape.kind !== "struct" || shape.made === undefined) continue;
      const name = structName(shape.made);
      if (known.has(name)) continue;
      const entry = { name, fields: [] as FieldIdl[] };
      known.set(name, entry);
      entry.fields.push(...fieldsOf(shape.made, declared, types));
    }
  }
  return [...known.values()];
}

function enumsOf(types: readonly Typed[]): EnumIdl[] {
  const known = new Map<string, EnumIdl>();
  for (const { declared } of types.flatMap(partsOf)) {
    if (declared?.kind !== "enum") continue;
    const { name, values } = declared;
    known.set(name, { name, values: Object.fromEntries(values) });
  }
  return [...known.values()];
}

/** @param made a struct of the kind, of which only the kind matters: code for old JavaScript has no class for it */
function fieldsOf(made: object, declared: DeclaredType, seen: Typed[]): FieldIdl[] {
  const empty = (): Readable & Record<string, unknown> => Object.create(Object.getPrototypeOf(made));
  const required = requiredOf(made);
  const defaults = defaultsOf(made);
  return spyOn((input) => empty().read(input)).map((field) => {
    const filled = empty();
    readAlone(field, (input) => filled.read(input));
    const name = Object.keys(filled)[0] ?? `field ${field.id}`;
    const struct = declared?.kind === "struct" ? declared : undefined;
    const type = nameOf(field, filled[name], struct?.field(name), seen);
    const known = defaults[name];
    // The declarations mark fields with a default as they mark optional ones.
    if (known !== undefined && known !== null) return { name, type, default: toJson(known) };
    if (required.has(name)) return { name, type, presence: "required" };
    return struct?.isOptional(name) === true ? { name, type, presence: "optional" } : { name, type };
  });
}

/** The fields without which a struct's constructor throws; its code names them. */
function requiredOf(made: object): ReadonlySet<string> {
  const code = Function.prototype.toString.call(made.constructor);
  return new Set([...code.matchAll(/Required field (\w+) is unset!/g)].map(([, name]) => name!));
}

/** What is in a struct that was made of nothing. */
function defaultsOf(made: object): Readonly<Record<string, unknown>> {
  const Struct = made.constructor as new () => Record<string, unknown>;
  return new Struct();
}

/** A protocol to write to that takes everything and keeps nothing. */
const mute: object = new Proxy({}, { get: () => () => undefined });
