/** The ledger's calls in the words of the raw client. */
import type { Fields, Plain, Tagged } from "./binary.ts";
import type { RawClient } from "./raw-client.ts";

/** An entry as tests write it. */
export interface TestEntry {
  readonly id: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: number;
}

/** The argument of `post`. */
export function postArguments({ id, debit, credit, amount }: TestEntry): Fields {
  const entry: Tagged = {
    struct: { 1: { string: id }, 2: { string: debit }, 3: { string: credit }, 4: { i64: amount } },
  };
  return { 1: entry };
}

/** The argument of `track`. */
export function trackArguments(counter: string, delta: number): Fields {
  return { 1: { string: counter }, 2: { i64: delta } };
}

/** Calls a method and returns its result. @throws when the answer is an exception */
export async function resultOf(
  client: RawClient,
  method: string,
  args: Fields = {},
): Promise<Plain | undefined> {
  const { type, body } = await client.call(method, args);
  if (type !== 2 || body[1] !== undefined) throw new Error(`${method}: ${JSON.stringify(body[1])}`);
  return body[0];
}
