/** Names of enums among JSON arguments: they become numbers, as the generated code wants them. */
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

function numberOf(text: string, { name, values }: EnumType, path: string): Json {
  if (/^-?\d+$/.test(text)) return text;
  const number = values.get(text);
  if (number !== undefined) return number;
  const meant = nearest(text, values.keys());
  const list = [...values].map(([key, value]) => `${key} (${value})`).join(", ");
  const hint = meant === undefined ? "" : `did you mean ${meant}? `;
  throw new ArgumentError(path, `${path}: ${describe(text)} was given; ${hint}${name} has ${list}`);
}
