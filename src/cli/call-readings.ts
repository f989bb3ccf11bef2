/** The words behind MODULE and METHOD: JSON, and what it may mean as arguments. */
import { nearest } from "../config/nearest.ts";
import { type Json, parseJson } from "./call-arguments.ts";
import { UsageError } from "./command.ts";

/** One way to understand the arguments. */
export interface Reading {
  readonly values: readonly Json[];
  /** The parameters'. */
  readonly names: readonly string[];
  /** For an error, where there are other ways. */
  readonly how: string;
}

/**
 * The readings of what was written, the likeliest first: `'[a, b]'` as the only argument or as the list of all, `'{…}'`
 * as one struct or as several arguments by name.
 */
export function readArguments(
  texts: readonly string[],
  method: string,
  names: readonly string[],
): readonly Reading[] {
  const values = texts.map((text, index) => readValue(text, names[index] ?? `argument ${index + 1}`));
  const [only] = values;
  const readings: Reading[] = [];
  if (values.length === 1 && Array.isArray(only)) {
    readings.push({ values: only as readonly Json[], names, how: "the list was read as all arguments" });
  }
  if (
    values.length === 1 &&
    names.length > 1 &&
    typeof only === "object" &&
    only !== null &&
    !Array.isArray(only)
  ) {
    const named = byName(only as { readonly [key: string]: Json }, method, names);
    readings.push({ values: named, names, how: "the object was read as all arguments by name" });
  }
  const asIs = { values, names, how: `the list was read as ${names[0]} itself` };
  if (names.length === 1) readings.unshift(asIs);
  else readings.push(asIs);
  const fitting = readings.filter((reading) => reading.values.length === names.length);
  if (fitting.length === 0) {
    const wanted = names.length === 0 ? "no arguments" : `${names.length} (${names.join(", ")})`;
    throw new UsageError(`${method} takes ${wanted}; ${readings[0]!.values.length} given`);
  }
  return fitting;
}

function byName(object: { readonly [key: string]: Json }, method: string, names: readonly string[]): Json[] {
  for (const key of Object.keys(object)) {
    if (!names.includes(key)) {
      const meant = nearest(key, names);
      const hint = meant === undefined ? `it has ${names.join(", ")}` : `did you mean ${meant}?`;
      throw new UsageError(`${method} has no argument ${key}; ${hint}`);
    }
  }
  return names.map((name) => object[name] ?? null);
}

/** JSON, or a text when it does not even look like JSON. */
function readValue(text: string, name: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (/^\s*[[{"]/.test(text) || text.trim() === "") {
      throw new UsageError(`${name} is no JSON: ${(error as Error).message.replaceAll("\n", " ")}`);
    }
    return text;
  }
}
