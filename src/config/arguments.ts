/** Splits a command line into flags of an option table and the rest. */
import { OptionError } from "./option-error.ts";
import { allowed, type OptionSpec } from "./option-kinds.ts";
import { flagName } from "./options.ts";
import { unknownOption } from "./read-options.ts";

/** What a command line said. */
export interface ParsedArguments {
  /** Values by key, as texts; flags without a value are true, `--no-…` false. The last of several wins. */
  readonly given: Readonly<Record<string, string | boolean>>;
  /** What is no flag, in order. */
  readonly positionals: readonly string[];
  /** Whether `--help` or `-h` was among them. */
  readonly help: boolean;
}

/**
 * Reads `--flag value`, `--flag=value`, `--switch`, `--no-switch`, `-h`, and `--` before which flags end.
 * The values are not checked yet.
 *
 * @throws {OptionError} for an unknown flag, and for one that misses its value or must not have one
 */
export function parseArguments(
  table: Readonly<Record<string, OptionSpec>>,
  argv: readonly string[],
): ParsedArguments {
  const keyByFlag = new Map(Object.keys(table).map((key) => [flagName(key), key]));
  const given: Record<string, string | boolean> = {};
  const positionals: string[] = [];
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (argument === "--help" || argument === "-h") {
      help = true;
      continue;
    }
    if (!/^-[-a-zA-Z]/.test(argument)) {
      positionals.push(argument);
      continue;
    }
    const [flag, inlineValue] = splitAtEquals(argument);
    const { key, spec, negated } = find(table, keyByFlag, flag);
    if (spec.kind === "flag") {
      given[key] = inlineValue ?? !negated;
    } else if (inlineValue !== undefined) {
      given[key] = inlineValue;
    } else {
      given[key] = valueAfter(argv, i, flag, spec);
      i++;
    }
  }
  return { given, positionals, help };
}

function splitAtEquals(argument: string): [string, string | undefined] {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function find(
  table: Readonly<Record<string, OptionSpec>>,
  keyByFlag: ReadonlyMap<string, string>,
  flag: string,
): { key: string; spec: OptionSpec; negated: boolean } {
  const key = keyByFlag.get(flag);
  if (key !== undefined) {
    return { key, spec: table[key]!, negated: false };
  }
  const positive = flag.replace(/^--no-/, "--");
  const negatedKey = keyByFlag.get(positive);
  if (positive !== flag && negatedKey !== undefined && table[negatedKey]!.kind === "flag") {
    return { key: negatedKey, spec: table[negatedKey]!, negated: true };
  }
  throw unknownOption(flag, [...keyByFlag.keys(), "--help"]);
}

function valueAfter(argv: readonly string[], at: number, flag: string, spec: OptionSpec): string {
  const value = argv[at + 1];
  if (value === undefined || /^--?[a-zA-Z]/.test(value) || value === "--") {
    throw new OptionError(flag, `a value is missing; give ${allowed(spec)}`);
  }
  return value;
}
