/**
 * JSON arguments for a generated client, without knowing the IDL.
 *
 * The generated code knows the types: it copies structs field by field and writes each value with the protocol's
 * method for its type. So every JSON value is handed over in a wrapper that notices how it is used: a text read like
 * a struct, an object copied like a list and a field that nobody reads are mistakes that can be named exactly.
 */
import { nearest } from "../config/nearest.ts";
import { UsageError } from "./command.ts";

/** A JSON value; integers beyond 2^53 are bigints. */
export type Json =
  | null
  | string
  | number
  | bigint
  | boolean
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A text, number or boolean among the arguments, with where it stands: `entry.amount`. */
export interface Leaf {
  readonly value: string | number | bigint | boolean;
  readonly path: string;
  used: boolean;
}

/**
 * Parses JSON without losing digits of large integers.
 *
 * @throws {SyntaxError}
 */
export function parseJson(text: string): Json {
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    return typeof value === "number" &&
      !Number.isSafeInteger(value) &&
      source !== undefined &&
      /^-?\d+$/.test(source)
      ? BigInt(source)
      : value;
  }) as Json;
}

/** What was given does not fit the type that the generated code knows. */
export class ArgumentError extends UsageError {
  /** Where it stands: `entry.amount`, undefined for the key of a map. */
  readonly path: string | undefined;

  constructor(path: string | undefined, message: string) {
    super(message);
    this.path = path;
  }
}

/** A required field is missing. What the generated code would have read behind it is not known. */
export class MissingFieldError extends ArgumentError {
  constructor(path: string) {
    super(path, `${path} is missing; it is required`);
  }
}

/** Arguments wrapped for one encoding. */
export interface WrappedArguments {
  /** What the generated code is given. */
  readonly values: readonly unknown[];
  /** @throws {ArgumentError} when something was given that the generated code did not read */
  checkAllUsed(): void;
  /** The struct that generated code has just asked for a field, and where that would stand: `entry.amount`. */
  placeOfField(name: string): string;
}

/** The leaves behind the wrappers that generated code carries about. */
const leaves = new WeakMap<object, Leaf>();

/** Where the wrapped lists and objects stand. */
const places = new WeakMap<object, string>();

/** Where a wrapped value stands among the arguments, undefined when it is none of ours. */
export function placeOf(value: unknown): string | undefined {
  return leafOf(value)?.path ?? (typeof value === "object" && value !== null ? places.get(value) : undefined);
}

/** The leaf behind a value that generated code gives to a protocol, undefined when it is none of ours. */
export function leafOf(value: unknown): Leaf | undefined {
  return typeof value === "object" && value !== null ? leaves.get(value) : undefined;
}

/**
 * Wraps arguments.
 *
 * @param names the parameter's names, for errors
 */
export function wrapArguments(values: readonly Json[], names: readonly string[]): WrappedArguments {
  const seen: Seen = { leaves: [], fields: new Map(), lastAsked: undefined };
  return {
    values: values.map((value, index) => wrap(value, names[index] ?? `argument ${index + 1}`, seen)),
    checkAllUsed() {
      const unread = seen.leaves.find(({ used }) => !used);
      if (unread !== undefined) {
        throw unreadError(unread.path, seen);
      }
    },
    placeOfField: (name) => (seen.lastAsked === undefined ? name : `${seen.lastAsked}.${name}`),
  };
}

interface Seen {
  readonly leaves: Leaf[];
  /** By the path of an object: the names that generated code asked it for. */
  readonly fields: Map<string, Set<string>>;
  /** The path of the object that was asked last. */
  lastAsked: string | undefined;
}

function wrap(value: Json, path: string, seen: Seen): unknown {
  if (value === null) {
    return null;
  }
  if (Array.isArray(value)) {
    return wrapList(value, path, seen);
  }
  return typeof value === "object"
    ? wrapObject(value as { readonly [key: string]: Json }, path, seen)
    : wrapLeaf({ value, path, used: false } as Leaf, seen);
}

function wrapLeaf(leaf: Leaf, seen: Seen): object {
  seen.leaves.push(leaf);
  const wrapper = new Proxy(
    {},
    {
      get: (_, property) => {
        throw new ArgumentError(
          leaf.path,
          `${leaf.path}: ${describe(leaf.value)} was given; ${wanted(property)} is expected`,
        );
      },
    },
  );
  leaves.set(wrapper, leaf);
  return wrapper;
}

/** Lists and sets are copied by index; a struct's or map's code asks for names. */
function wrapList(list: readonly Json[], path: string, seen: Seen): object {
  const items = list.map((item, index) => wrap(item, `${path}[${index}]`, seen));
  const wrapper = new Proxy(items, {
    get: (target, property) => {
      if (property === "length" || (typeof property === "string" && /^\d+$/.test(property))) {
        return Reflect.get(target, property);
      }
      throw new ArgumentError(path, `${path}: a list was given; ${wanted(property)} is expected`);
    },
  });
  places.set(wrapper, path);
  return wrapper;
}

function wrapObject(object: { readonly [key: string]: Json }, path: string, seen: Seen): object {
  const asked = new Set<string>();
  seen.fields.set(path, asked);
  const entries = Object.entries(object).map(([key, value]) => [key, wrap(value, `${path}.${key}`, seen)]);
  const fields: object = Object.fromEntries(entries);
  const wrapper = new Proxy(fields, {
    get: (target, property) => {
      if (typeof property === "string" && !(property in Object.prototype)) {
        asked.add(property);
        seen.lastAsked = path;
      }
      if (property === "write" && !Object.hasOwn(target, property)) {
        throw new ArgumentError(
          path,
          `${path}: the Thrift compiler's code for JavaScript can't send a struct in a container of its own kind`,
        );
      }
      if (property === "length" && !Object.hasOwn(target, property)) {
        throw new ArgumentError(path, `${path}: an object was given; a list is expected`);
      }
      return Reflect.get(target, property);
    },
  });
  places.set(wrapper, path);
  return wrapper;
}

/** What generated code wants that asks a value for a property: lists have a length, maps own keys, structs fields. */
function wanted(property: string | symbol): string {
  return property === "length"
    ? "a list"
    : property === "hasOwnProperty"
      ? "a map, written as an object,"
      : "a struct, written as an object,";
}

function unreadError(path: string, seen: Seen): ArgumentError {
  const dot = path.lastIndexOf(".");
  const [owner, name] = dot < 0 ? ["", path] : [path.slice(0, dot), path.slice(dot + 1)];
  return dot < 0
    ? new ArgumentError(path, `${path} is not used`)
    : noFieldError(owner, name, [...(seen.fields.get(owner) ?? [])]);
}

/** The error for a field that an object's struct does not have. @param names those that it has */
export function noFieldError(path: string, name: string, names: readonly string[]): ArgumentError {
  const meant = nearest(name, names);
  const hint =
    meant !== undefined ? `; did you mean ${meant}?` : names.length > 0 ? `; it has ${names.join(", ")}` : "";
  return new ArgumentError(`${path}.${name}`, `${path} has no field ${name}${hint}`);
}

/** A value in an error: its kind, and itself when it is short. */
export function describe(value: Leaf["value"]): string {
  const kind =
    typeof value === "string" ? "the text" : typeof value === "boolean" ? "the boolean" : "the number";
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${kind} ${shown.length > 60 ? `${shown.slice(0, 57)}…` : shown}`;
}
