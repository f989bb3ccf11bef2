/** Reads the values of an option table: what is given first, then the environment, then the default. */
import { nearest } from "./nearest.ts";
import { OptionError } from "./option-error.ts";
import { type OptionSpec, type OptionValue, parseOption } from "./option-kinds.ts";
import { environmentName, flagName } from "./options.ts";

/** How given options were written: `--admin-port` or `adminPort`. */
export type Naming = "flag" | "key";

/** The checked values of a table. */
export interface OptionReader<K extends string> {
  /** The value of an option that always has a number. */
  number(key: K): number;
  optionalNumber(key: K): number | undefined;
  text(key: K): string;
  optionalText(key: K): string | undefined;
  flag(key: K): boolean;
  /** The option as the user wrote it, wherever the value came from. */
  writtenAs(key: string): string;
}

/** Where values come from besides what is given. */
export interface OptionSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly naming: Naming;
  /** Keys outside the table that are no error in what is given. Default: none. */
  readonly alsoAllowed?: readonly string[];
}

/**
 * Checks all values of a table.
 *
 * @throws {OptionError} for an unknown key and for a value that is not allowed
 */
export function readOptions<K extends string>(
  table: Readonly<Record<K, OptionSpec>>,
  given: object,
  sources: OptionSources,
): OptionReader<K> {
  checkKeys(table, given, sources);
  const values = new Map<string, OptionValue>();
  const names = new Map<string, string>();
  for (const [key, spec] of Object.entries<OptionSpec>(table)) {
    const [value, name] = rawValue(key, spec, given, sources);
    names.set(key, name);
    values.set(key, value === undefined ? spec.fallback : parseOption(spec, value, name));
  }
  return {
    number: (key) => values.get(key) as number,
    optionalNumber: (key) => values.get(key) as number | undefined,
    text: (key) => values.get(key) as string,
    optionalText: (key) => values.get(key) as string | undefined,
    flag: (key) => values.get(key) as boolean,
    writtenAs: (key) => names.get(key) ?? key,
  };
}

/** The raw value of an option, undefined when there is none, and how the user wrote (or would write) it. */
function rawValue(
  key: string,
  spec: OptionSpec,
  given: object,
  { env, naming }: OptionSources,
): [value: unknown, writtenAs: string] {
  const givenName = naming === "flag" ? flagName(key) : key;
  const givenValue = (given as Record<string, unknown>)[key];
  if (givenValue !== undefined) {
    return [givenValue, givenName];
  }
  const variable = environmentName(key);
  const text = env[variable];
  // An empty variable is how compose files and shells say "not set".
  if (text !== undefined && text !== "" && !(spec.kind === "count" && isServiceLink(text))) {
    return [text, variable];
  }
  return [undefined, givenName];
}

/**
 * Kubernetes tells every pod of a namespace about a service named `sluice` by setting SLUICE_PORT to
 * `tcp://10.0.0.1:9090`. That is no option of ours.
 */
function isServiceLink(text: string): boolean {
  return /^(tcp|udp|sctp):\/\//.test(text);
}

function checkKeys(table: object, given: object, { naming, alsoAllowed = [] }: OptionSources): void {
  const known = [...Object.keys(table), ...alsoAllowed];
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) {
      throw unknownOption(
        naming === "flag" ? flagName(key) : key,
        known.map((name) => (naming === "flag" ? flagName(name) : name)),
      );
    }
  }
}

/** The error for an option that does not exist, with the name that was probably meant. */
export function unknownOption(writtenAs: string, known: readonly string[]): OptionError {
  const meant = nearest(writtenAs, known);
  return new OptionError(
    writtenAs,
    meant === undefined ? "no such option" : `no such option; did you mean ${meant}?`,
  );
}

/**
 * Variables of the environment that look like misspelt options of this table: `[as written, probably meant]`.
 * They are no errors, for others may set variables with our prefix.
 */
export function misspeltVariables(
  table: object,
  env: Readonly<Record<string, string | undefined>>,
): (readonly [string, string])[] {
  const known = Object.keys(table).map(environmentName);
  return Object.keys(env)
    .filter((name) => name.startsWith("SLUICE_") && !known.includes(name))
    .filter((name) => !/^SLUICE_(SERVICE_|PORT_\d)/.test(name))
    .flatMap((name) => {
      const meant = nearest(name, known);
      return meant === undefined ? [] : [[name, meant] as const];
    });
}
