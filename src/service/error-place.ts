/** Where an error comes from, as far as its stack tells. */
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The file, line and column at which the service's own code threw, or called what threw: the first ones in the stack, but
 * for those of packages and of what loads modules here. Where there is none of its own, the first of a package.
 */
export function placeOf(error: unknown): string | undefined {
  const stack = stackOf(error) ?? "";
  const shown = shownPlaceOf(stack);
  if (shown !== undefined) return shown;
  const frames = stack.matchAll(/\n\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\)[^\n)]*:\d+:\d+)\)?/g);
  const places = [...frames]
    .map(([, place]) => place!.replace(/^file:\/\/(?=\/)/, ""))
    .filter((place) => !loaders.some((folder) => place.startsWith(folder)));
  return places.find((place) => !place.includes(packages)) ?? places[0];
}

const packages = `${sep}node_modules${sep}`;

/** The parts of this package that load modules and run what they define, or have it done. */
const loaders: readonly string[] = ["service", "worker", "state", "cli"].map((folder) =>
  fileURLToPath(new URL(`../${folder}/`, import.meta.url)),
);

/** What can't be read as TypeScript has its file and line before the stack, with a mark below the line's column. */
function shownPlaceOf(stack: string): string | undefined {
  const [, url, line, rest] = /^((?:file:\/\/|\/)[^\n]*):(\d+)\n(.*)/s.exec(stack) ?? [];
  if (url === undefined) return undefined;
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  const column = /^ *(?=\^+ *$)/m.exec(rest!)?.[0].length;
  return column === undefined ? `${path}:${line}` : `${path}:${line}:${column + 1}`;
}

/** A stack may be anything, or throw when it is looked at. */
function stackOf(error: unknown): string | undefined {
  try {
    const stack: unknown = error instanceof Error ? error.stack : undefined;
    return typeof stack === "string" ? stack : undefined;
  } catch {
    return undefined;
  }
}
