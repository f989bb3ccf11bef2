/** Renders an option table for `--help`. */
import { type OptionSpec, placeholder, showDefault } from "./option-kinds.ts";
import { environmentName, flagName } from "./options.ts";

/** The column at which meanings begin. */
const meaningColumn = 34;

/**
 * One line per option: flag and value, meaning, default; a heading before each group.
 *
 * @param groups the heading that comes before a key
 */
export function describeOptions(
  table: Readonly<Record<string, OptionSpec>>,
  groups: Readonly<Record<string, string | undefined>> = {},
): string {
  const lines: string[] = [];
  for (const [key, spec] of Object.entries(table)) {
    const heading = groups[key];
    if (heading !== undefined) {
      lines.push(...(lines.length === 0 ? [] : [""]), `${heading}:`);
    }
    const left = `  ${flagName(key)} ${placeholder(spec)}`.trimEnd();
    const shownDefault = spec.kind === "flag" && !spec.fallback ? "" : ` [${showDefault(spec)}]`;
    const meaning = `${spec.help}${shownDefault}`;
    if (left.length < meaningColumn - 1) {
      lines.push(left.padEnd(meaningColumn) + meaning);
    } else {
      lines.push(left, " ".repeat(meaningColumn) + meaning);
    }
  }
  return lines.join("\n");
}

/** What all options have in common, for the end of a help text. */
export function describeUnits(exampleKey: string): string {
  return [
    "A DURATION has its unit: 500ms, 9s, 1m. A SIZE may have one: 64KiB, 16MiB, 100MB. [ ] holds the default.",
    `Each option can be set in the environment too: ${flagName(exampleKey)} as ${environmentName(exampleKey)}.`,
  ].join("\n");
}
