/** Fields that no struct has, found by the types: generated code stops at the first required field that is missing. */
import type { GeneratedService } from "../service/define.ts";
import { type ArgumentError, type Json, noFieldError } from "./call-arguments.ts";
import { describeIdl } from "./idl.ts";

/** By the name of a struct: its fields with their types. */
type Structs = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The error for the first field among the arguments that its struct does not have. */
export function unknownField(
  service: GeneratedService,
  method: string,
  values: readonly Json[],
): ArgumentError | undefined {
  const { methods, structs } = describeIdl(service);
  const known: Structs = new Map(
    structs.map(({ name, fields }) => [name, new Map(fields.map((field) => [field.name, field.type]))]),
  );
  const parameters = methods.find(({ name }) => name === method)?.parameters ?? [];
  return firstOf(parameters, ({ name, type }, index) => search(values[index] ?? null, type, name, known));
}

function search(value: Json, type: string, path: string, known: Structs): ArgumentError | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    const element = valueType(type);
    return firstOf(value as readonly Json[], (item, index) =>
      search(item, element, `${path}[${index}]`, known),
    );
  }
  const fields = known.get(type);
  return firstOf(Object.entries(value), ([key, part]) => {
    if (fields?.has(key) === false) return noFieldError(path, key, [...fields.keys()]);
    return search(part, fields?.get(key) ?? valueType(type), `${path}.${key}`, known);
  });
}

function firstOf<T>(
  items: readonly T[],
  find: (item: T, index: number) => ArgumentError | undefined,
): ArgumentError | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of `map<i32, list<Entry>>` it is `list<Entry>`: keys are no structs that JSON could write. */
function valueType(type: string): string {
  const [, outer, parts = ""] = /^(\w+)<(.*)>$/.exec(type) ?? [];
  if (outer !== "map") return parts;
  let depth = 0;
  for (let at = 0; at < parts.length; at++) {
    if (parts[at] === "<") depth++;
    else if (parts[at] === ">") depth--;
    else if (parts[at] === "," && depth === 0) return parts.slice(at + ", ".length);
  }
  return "";
}
