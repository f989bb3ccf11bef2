/**
 * Errors between threads. Structured clone keeps neither an error's own fields nor its name when
 * that isn't a built-in one, so an error travels in pieces and is put together again.
 */

/** An error, or whatever else was thrown, in a form that structured clone copies whole. */
export type PackedError =
  | {
      readonly kind: "error";
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** Own enumerable fields (`code` among them) that can be copied. */
      readonly fields: readonly (readonly [string, unknown])[];
      readonly cause: PackedError | undefined;
    }
  | { readonly kind: "value"; readonly value: unknown };

/** Causes are followed this far: deep enough to explain, and an end for cycles. */
const maxCauses = 4;

/** Packs what was thrown. Fields that can't be copied are left out; never throws. */
export function packError(thrown: unknown, causesLeft: number = maxCauses): PackedError {
  if (!(thrown instanceof Error)) {
    return { kind: "value", value: isCopyable(thrown) ? thrown : String(thrown) };
  }
  const fields: [string, unknown][] = [];
  for (const key of Object.keys(thrown)) {
    if (key === "name" || key === "message" || key === "stack" || key === "cause") continue;
    const value = (thrown as unknown as Record<string, unknown>)[key];
    if (isCopyable(value)) fields.push([key, value]);
  }
  // `code` may be inherited or an accessor, and is what callers decide by.
  const code = (thrown as { code?: unknown }).code;
  if (!Object.hasOwn(thrown, "code") && (typeof code === "string" || typeof code === "number")) {
    fields.push(["code", code]);
  }
  const hasCause = thrown.cause !== undefined && causesLeft > 0;
  return {
    kind: "error",
    name: String(thrown.name),
    message: String(thrown.message),
    stack: thrown.stack,
    fields,
    cause: hasCause ? packError(thrown.cause, causesLeft - 1) : undefined,
  };
}

/** The thrown thing again: an `Error` with the first one's name, message, stack, fields and cause. */
export function reviveError(packed: PackedError): unknown {
  if (packed.kind === "value") return packed.value;
  const error = new Error(packed.message, packed.cause && { cause: reviveError(packed.cause) });
  Object.defineProperty(error, "name", { value: packed.name, configurable: true, writable: true });
  Object.defineProperty(error, "stack", { value: packed.stack, configurable: true, writable: true });
  for (const [key, value] of packed.fields) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

function isCopyable(value: unknown): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
