/** The names of a new service, from the word that its maker gave. */
import { UsageError } from "./command.ts";

/** One name as the different files write it. */
export interface ServiceNames {
  /** In the IDL and in code: `PriceList`. */
  readonly service: string;
  /** The IDL's file name, from which Python makes a module: `price_list`. */
  readonly file: string;
  /** Of the npm package, and in the compose file: `price-list`. */
  readonly package: string;
}

const longest = 60;

/** What no service can be named: words of Python and JavaScript, and packages that the service itself depends on. */
const taken: ReadonlySet<string> = new Set(
  (
    "and as assert async await break case catch class const continue debugger def default del delete do elif else " +
    "enum except export extends false finally for from function global if import in is lambda let new none nonlocal " +
    "not null or pass print raise return super switch this throw true try typeof var void while with yield " +
    "node-int64 node-modules object promise thrift thrift-sluice"
  ).split(" "),
);

/**
 * Makes the names: words are what letters and digits make, and what begins with a capital.
 *
 * @param source what to call it in an error: `the folder's name`
 * @throws {UsageError} when no name can be made of it
 */
export function serviceNames(text: string, source: string): ServiceNames {
  const words = text
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z\d]+/)
    .filter((word) => word !== "");
  // Identifiers begin with a letter: `2026-prices` is named after its prices.
  while (words[0] !== undefined && /^\d/.test(words[0])) {
    words.shift();
  }
  const names = {
    service: words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join(""),
    file: words.join("_").toLowerCase(),
    package: words.join("-").toLowerCase(),
  };
  const why =
    words.length === 0 || /[^\0-\x7f]/.test(text)
      ? "can't be a service's name, which has letters from A to Z and digits"
      : names.package.length > longest
        ? `is longer than a service's name should be, ${longest} letters`
        : taken.has(names.package)
          ? "is a word that has a meaning of its own in the code"
          : undefined;
  if (why !== undefined) {
    throw new UsageError(`${source}, ${JSON.stringify(text)}, ${why}; give one: --name PriceList`);
  }
  return names;
}
