/**
 * Enums of a service. At run time the generated code has them as plain numbers; which field has which stands in the
 * declarations (.d.ts) that the Thrift compiler writes beside it. Where there are none, enums stay numbers.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import type { GeneratedService } from "../service/define.ts";

/** What a declaration tells of a type. Undefined stands for all that has no enum in it, and for what is not told. */
export type DeclaredType =
  | { readonly kind: "enum"; readonly name: string; readonly values: ReadonlyMap<string, number> }
  | {
      readonly kind: "struct";
      field(name: string): DeclaredType | undefined;
      isOptional(name: string): boolean;
    }
  | { readonly kind: "list"; readonly of: DeclaredType | undefined }
  | { readonly kind: "map"; readonly key: DeclaredType | undefined; readonly value: DeclaredType | undefined }
  | undefined;

/** The types of a method, by the order of its parameters. */
export interface DeclaredMethod {
  readonly parameters: readonly DeclaredType[];
  readonly result: DeclaredType;
}

/** @returns undefined when no declarations are found */
export function declaredMethod(service: GeneratedService, method: string): DeclaredMethod | undefined {
  const modules = Object.values(createRequire(import.meta.url).cache);
  const generated = modules.find((module) => module !== undefined && clientOf(module) === service.Client);
  const file = generated && declarationFile(generated.filename);
  return file && methodIn(file, method);
}

function clientOf({ exports }: NodeJS.Module): unknown {
  // Not all modules have objects, and some have getters that throw.
  const client =
    typeof exports === "object" && exports !== null && Object.getOwnPropertyDescriptor(exports, "Client");
  return client ? client.value : undefined;
}

/** A .d.ts file. */
interface Declarations {
  readonly text: string;
  readonly path: string;
}

const files = new Map<string, Declarations | undefined>();

/** @param module the path of the code, with or without `.js` */
function declarationFile(module: string): Declarations | undefined {
  const path = `${module.replace(/\.js$/, "")}.d.ts`;
  if (!files.has(path))
    files.set(path, existsSync(path) ? { text: readFileSync(path, "utf8"), path } : undefined);
  return files.get(path);
}

/** The file behind `import NAME = require('./…')`. */
function imported({ text, path }: Declarations, name: string): Declarations | undefined {
  const [, target] = new RegExp(`^import ${name} = require\\('(\\.[^']*)'\\)`, "m").exec(text) ?? [];
  return target === undefined ? undefined : declarationFile(resolve(dirname(path), target));
}

function methodIn(file: Declarations, method: string): DeclaredMethod | undefined {
  const [, base, body = ""] =
    /^declare class Client (?:extends (\w+)\.Client )?\{([\s\S]*?)^ {0,2}\}/m.exec(file.text) ?? [];
  // Each has, below its comment, a line without a callback and one with it, which tells the result without a promise around it.
  const [, list, result] =
    new RegExp(
      `^ +${method}\\((.*)\\): .*;\\s*(?:/\\*\\*[^]*?\\*/\\s*)?${method}\\(.*\\bresponse: (.*)\\)=>void\\): `,
      "m",
    ).exec(body) ?? [];
  if (list === undefined || result === undefined) {
    const inherited = base === undefined ? undefined : imported(file, base);
    return inherited && methodIn(inherited, method);
  }
  // No type has a comma in it.
  const types = list === "" ? [] : list.split(", ").map((parameter) => parameter.replace(/^\w+\??: /, ""));
  return { parameters: types.map((type) => typeOf(type, file)), result: typeOf(result, file) };
}

/** Reads a type as the compiler writes it: `Color[]`, `{ [k: string]: Color; }`, `{ [k: number /*Color*\/]: Thing; }`. */
function typeOf(type: string, file: Declarations): DeclaredType {
  if (type.endsWith("[]")) return { kind: "list", of: typeOf(type.slice(0, -2), file) };
  const map = /^\{ \[k: \w+(?: \/\*([\w.]+)\*\/)?\]: (.*); \}$/.exec(type);
  if (map === null) return namedType(type, file);
  const [, key, value] = map;
  return {
    kind: "map",
    key: key === undefined ? undefined : namedType(key, file),
    value: typeOf(value!, file),
  };
}

function namedType(type: string, file: Declarations): DeclaredType {
  const [, namespace, name] = /^(?:(\w+)\.)?(\w+)$/.exec(type) ?? [];
  if (name === undefined) return undefined;
  if (namespace !== undefined) {
    const other = imported(file, namespace);
    return other && namedType(name, other);
  }
  const [, list] = new RegExp(`^declare enum ${name} \\{([^}]*)^\\}`, "m").exec(file.text) ?? [];
  if (list !== undefined) {
    const values = [...list.matchAll(/(\w+) = (-?\d+)/g)].map(
      ([, key, value]) => [key!, Number(value)] as const,
    );
    return { kind: "enum", name, values: new Map(values) };
  }
  const [, fields] =
    new RegExp(`^declare class ${name} (?:extends [\\w.]+ )?\\{([\\s\\S]*?)^ {0,2}\\}`, "m").exec(
      file.text,
    ) ?? [];
  if (fields !== undefined) {
    return {
      kind: "struct",
      field: (field) => fieldIn(fields, field, file),
      isOptional: (field) => new RegExp(`^ +public ${field}\\?: `, "m").test(fields),
    };
  }
  const [, alias] = new RegExp(`^import ${name} = ([\\w.]+)$`, "m").exec(file.text) ?? [];
  return alias === undefined ? undefined : namedType(alias, file);
}

function fieldIn(fields: string, name: string, file: Declarations): DeclaredType {
  const [, type] = /^[\w$]+$/.test(name)
    ? (new RegExp(`^ +public ${name}\\??: (.*);$`, "m").exec(fields) ?? [])
    : [];
  return type === undefined ? undefined : typeOf(type, file);
}
