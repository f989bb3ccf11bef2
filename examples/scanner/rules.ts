/** What rules are, and what is asked of them. */
import types from "./gen/scanner_types.js";
import { createMatcher, mostPatternBytes } from "./matcher.ts";

export interface Rule {
  readonly name: string;
  readonly pattern: string;
}

export interface RuleSet {
  readonly version: number;
  readonly rules: readonly Rule[];
}

/** Rules that are ready to be looked for. */
export interface ActiveRules extends RuleSet {
  /** The names of the rules that match. */
  match(bytes: Uint8Array): string[];
}

/** @param set its rules were checked */
export function activate(set: RuleSet): ActiveRules {
  const matcher = createMatcher(set.rules.map(({ pattern }) => bytesOf(pattern)!));
  return { ...set, match: (bytes) => matcher(bytes).map((index) => set.rules[index]!.name) };
}

/**
 * What a client sent, as rules.
 *
 * @throws {types.BadRule} for the first rule that is not as it must be
 */
export function checkRules(given: readonly Partial<Rule>[] | null): Rule[] {
  const names = new Set<string>();
  let bytes = 0;
  return (given ?? []).map(({ name, pattern }) => {
    const refuse = (message: string): never => {
      throw new types.BadRule({ rule: name ?? "", message });
    };
    if (!name) return refuse("a rule must have a name");
    if (names.has(name)) return refuse("two rules have this name");
    names.add(name);
    const wanted = bytesOf(pattern ?? "") ?? refuse("after a backslash there must be another one, or xNN");
    if (wanted.length === 0) return refuse("its pattern is empty");
    bytes += wanted.length;
    if (bytes > mostPatternBytes)
      return refuse(`with it the patterns have more than ${mostPatternBytes} bytes`);
    return { name, pattern: pattern! };
  });
}

/** The bytes that a pattern stands for; undefined when it has a backslash that means nothing. */
function bytesOf(pattern: string): Uint8Array | undefined {
  const pieces: readonly string[] = pattern.match(/\\x[0-9a-fA-F]{2}|\\\\|[^\\]+|\\/g) ?? [];
  if (pieces.includes("\\")) return undefined;
  return Buffer.concat(
    pieces.map((piece) => {
      if (!piece.startsWith("\\")) return Buffer.from(piece);
      return piece === "\\\\" ? Buffer.from("\\") : Buffer.from(piece.slice(2), "hex");
    }),
  );
}
