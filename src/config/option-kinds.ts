/** The kinds of options: how a text or a program's value becomes a checked value, and how values are shown. */
import { inspect } from "node:util";
import { OptionError } from "./option-error.ts";

interface OptionCommon {
  /** One line for `--help`: what it means, without default and range. */
  readonly help: string;
  /** What `--help` shows as default where the value alone says too little. */
  readonly defaultText?: string;
  /** The word `off` is allowed and means that there is none; so does 0 unless `zero` says that it is a value. */
  readonly off?: "zero-is-off" | "zero-is-a-value";
}

/** A length of time. Texts have a unit (`9s`, `100ms`, `1.5m`, `2h`); numbers are ms. */
export interface DurationOption extends OptionCommon {
  readonly kind: "duration";
  readonly fallback: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** An amount of memory. Texts may have a unit (`64k`, `16MiB`, `100MB`); numbers are bytes. */
export interface SizeOption extends OptionCommon {
  readonly kind: "size";
  readonly fallback: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** A whole number. */
export interface CountOption extends OptionCommon {
  readonly kind: "count";
  readonly fallback: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** A text of a certain form. */
export interface TextOption extends OptionCommon {
  readonly kind: "text";
  readonly fallback: string | undefined;
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  /** What is allowed, in words. */
  readonly form: string;
  readonly accepts: (text: string) => boolean;
  /** Never shown, not even in an error. */
  readonly secret?: boolean;
}

/** One of a few words. */
export interface ChoiceOption extends OptionCommon {
  readonly kind: "choice";
  readonly fallback: string | undefined;
  readonly choices: readonly string[];
}

/** On or off. */
export interface FlagOption extends OptionCommon {
  readonly kind: "flag";
  readonly fallback: boolean;
}

/** A row of an option table. */
export type OptionSpec = DurationOption | SizeOption | CountOption | TextOption | ChoiceOption | FlagOption;

/** A checked value; undefined: not given, or off. */
export type OptionValue = string | number | boolean | undefined;

/**
 * Checks one value.
 *
 * @param writtenAs the option as the user wrote it, for the error
 * @returns the value in its base unit (ms, bytes); undefined when it is off
 * @throws {OptionError} naming the option, the value and what is allowed
 */
export function parseOption(spec: OptionSpec, value: unknown, writtenAs: string): OptionValue {
  const parsed = parseKind(spec, value);
  if (parsed === invalid) {
    throw new OptionError(
      writtenAs,
      `${spec.kind === "text" && spec.secret ? "this value" : show(value)} is not allowed; give ${allowed(spec)}`,
    );
  }
  return parsed;
}

const invalid: unique symbol = Symbol("invalid");

function parseKind(spec: OptionSpec, value: unknown): OptionValue | typeof invalid {
  switch (spec.kind) {
    case "duration":
      return parseNumeric(spec, value, durationUnits);
    case "size":
      return parseNumeric(spec, value, sizeUnits);
    case "count":
      return parseNumeric(spec, value, countUnits);
    case "text":
      return typeof value === "string" && spec.accepts(value) ? value : invalid;
    case "choice":
      return typeof value === "string" && spec.choices.includes(value) ? value : invalid;
    case "flag":
      return parseFlag(value);
  }
}

const durationUnits: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["min", 60_000],
  ["h", 3_600_000],
]);

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["kb", 1000],
  ["kib", 1024],
  ["m", 1024 ** 2],
  ["mb", 1000 ** 2],
  ["mib", 1024 ** 2],
  ["g", 1024 ** 3],
  ["gb", 1000 ** 3],
  ["gib", 1024 ** 3],
]);

const countUnits: ReadonlyMap<string, number> = new Map([["", 1]]);

function parseNumeric(
  spec: DurationOption | SizeOption | CountOption,
  value: unknown,
  units: ReadonlyMap<string, number>,
): number | undefined | typeof invalid {
  if (spec.off !== undefined && value === "off") {
    return undefined;
  }
  const number =
    typeof value === "number" ? value : typeof value === "string" ? fromText(value, units) : Number.NaN;
  if (number === 0 && spec.off === "zero-is-off") {
    return undefined;
  }
  return Number.isInteger(number) && number >= spec.min && number <= spec.max ? number : invalid;
}

function fromText(text: string, units: ReadonlyMap<string, number>): number {
  const [, digits, unit] = /^(\d+(?:[._]\d+)*)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined) {
    return Number.NaN;
  }
  const amount = Number(digits.replaceAll("_", ""));
  // A bare 0 needs no unit, whatever the kind.
  const factor = units.get(unit.toLowerCase()) ?? (amount === 0 && unit === "" ? 1 : Number.NaN);
  // 1.1s is not whole in floating point; without a unit nothing is to be rounded: 1.5 of something is a mistake.
  return factor === 1 ? amount : Math.round(amount * factor);
}

function parseFlag(value: unknown): boolean | typeof invalid {
  if (typeof value === "boolean") {
    return value;
  }
  const word = typeof value === "string" ? value.toLowerCase() : "";
  if (["true", "1", "yes", "on"].includes(word)) {
    return true;
  }
  return ["false", "0", "no", "off"].includes(word) ? false : invalid;
}

/** What a user may write for an option, in words. */
export function allowed(spec: OptionSpec): string {
  const off = spec.off === undefined ? "" : spec.off === "zero-is-off" ? ", or 0 (off)" : ', or "off"';
  switch (spec.kind) {
    case "duration":
      return `a duration from ${showDuration(spec.min)} to ${showDuration(spec.max)} such as 500ms, 9s or 1m${off}`;
    case "size":
      return `a size from ${showSize(spec.min)} to ${showSize(spec.max)} such as 64KiB or 16MiB${off}`;
    case "count":
      return `a whole number from ${spec.min} to ${spec.max}${off}`;
    case "text":
      return spec.form;
    case "choice":
      return `one of ${spec.choices.join(", ")}`;
    case "flag":
      return "true or false";
  }
}

/** What stands for the value in a usage line: `--grace DURATION`. */
export function placeholder(spec: OptionSpec): string {
  switch (spec.kind) {
    case "duration":
      return "DURATION";
    case "size":
      return "SIZE";
    case "count":
      return "N";
    case "text":
      return spec.placeholder;
    case "choice":
      return spec.choices.join("|");
    case "flag":
      return "";
  }
}

/** The default as `--help` and the docs show it. */
export function showDefault(spec: OptionSpec): string {
  if (spec.defaultText !== undefined) {
    return spec.defaultText;
  }
  if (spec.fallback === undefined) {
    return spec.off === undefined ? "none" : "off";
  }
  switch (spec.kind) {
    case "duration":
      return showDuration(spec.fallback);
    case "size":
      return showSize(spec.fallback);
    default:
      return String(spec.fallback);
  }
}

/** A duration in its largest whole unit: `9s`, `100ms`. */
export function showDuration(ms: number): string {
  for (const [unit, factor] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const) {
    if (ms > 0 && ms % factor === 0) {
      return `${ms / factor}${unit}`;
    }
  }
  return ms === 0 ? "0s" : `${ms}ms`;
}

/** A size in its largest whole unit: `16MiB`, `16384000`. */
export function showSize(bytes: number): string {
  for (const [unit, factor] of [
    ["GiB", 1024 ** 3],
    ["MiB", 1024 ** 2],
    ["KiB", 1024],
  ] as const) {
    if (bytes > 0 && bytes % factor === 0) {
      return `${bytes / factor}${unit}`;
    }
  }
  return String(bytes);
}

/** A value in an error message: quoted, bounded, and without the password of a URL. */
function show(value: unknown): string {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).replaceAll("\n", " ");
  const safe = text.replace(/(:\/\/[^:/@\s]*):[^@\s]*@/, "$1:***@");
  return safe.length > 80 ? `${safe.slice(0, 77)}…` : safe;
}
