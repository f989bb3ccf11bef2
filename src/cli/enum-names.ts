/** Names of enums in JSON: arguments are given to the generated code as numbers, results are shown by name. */
import { nearest } from "../config/nearest.ts";
import { ArgumentError, describe, type Json } from "./call-arguments.ts";
import type { DeclaredType } from "./declarations.ts";

type EnumType = Extract<DeclaredType, { kind: "enum" }>;

/**
 * The value with numbers for names, where its type is known to be an enum.
 *
 * @param path where it stands, for errors
 * @throws {ArgumentError} for a text that the enum does not have; it lists what it has
 */
export function withEnumNumbers(value: Json, type: DeclaredType, path: string): Json {
  if (type === undefined || value === null) return value;
  if (type.kind === "enum") return typeof value === "string" ? numberOf(value, type, path) : value;
  if (Array.isArray(value)) {
    if (type.kind !== "list") return value;
    return (value as readonly Json[]).map((item, index) =>
      withEnumNumbers(item, type.of, `${path}[${index}]`),
    );
  }
  if (typeof value !== "object" || type.kind === "list") return value;
  const entries = Object.entries(value).map(([key, inner]): [string, Json] => {
    const place = `${path}.${key}`;
    if (type.kind === "struct") return [key, withEnumNumbers(inner, type.field(key), place)];
    const number = type.key?.kind === "enum" ? String(numberOf(key, type.key, place)) : key;
    return [number, withEnumNumbers(inner, type.value, place)];
  });
  return Object.fromEntries(entries);
}

/** The result as JSON with names for numbers, where its type is known to be an enum that has the number. */
export function withEnumNames(value: unknown, type: DeclaredType): unknown {
  if (type === undefined || value === null) return value;
  if (type.kind === "enum") return nameOf(value, type) ?? value;
  if (Array.isArray(value)) {
    return type.kind === "list" ? value.map((item) => withEnumNames(item, type.of)) : value;
  }
  if (typeof value !== "object" || type.kind === "list") return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    if (type.kind === "struct") return [key, withEnumNames(inner, type.field(key))];
    const name = type.key?.kind === "enum" ? nameOf(Number(key), type.key) : undefined;
    return [name ?? key, withEnumNames(inner, type.value)];
  });
  return Object.fromEntries(entries);
}

function nameOf(number: unknown, { values }: EnumType): string | undefined {
  return [...values].find(([, value]) => value === number)?.[0];
}

function numberOf(text: string, { name, values }: EnumType, path: string): Json {
  if (/^-?\d+$/.test(text)) return text;
  const number = values.get(text);
  if (number !== undefined) return number;
  const meant = nearest(text, values.keys());
  const list = [...values].map(([key, value]) => `${key} (${value})`).join(", ");
  const hint = meant === undefined ? "" : `did you mean ${meant}? `;
  throw new ArgumentError(path, `${path}: ${describe(text)} was given; ${hint}${name} has ${list}`);
}
