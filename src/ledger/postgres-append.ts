/** One group of posts as one message to PostgreSQL, and its answer as receipts and refusals. */
import type { Attempt } from "./attempt.ts";
import { balanceError, contentError } from "./errors.ts";
import { appendFunction } from "./postgres-append-function.ts";
import type { Connection } from "./postgres-connections.ts";
import { postgresSchemaVersion } from "./postgres-schema.ts";
import type { LedgerEntry, LedgerReceipt } from "./store.ts";

/** The lists of entries of a group: of each all are kept or none. */
export type Lists = readonly (readonly LedgerEntry[])[];

/** Places that belong to one group: those behind `before`, up to `after`. */
export interface Places {
  readonly before: number;
  readonly after: number;
}

/** What the function `sluice_append…` says; see there. */
export type AppendAnswer =
  | { readonly state: "version"; readonly version: number }
  | ({ readonly state: "carried out" } & Places)
  | ({
      readonly state: "appended";
      readonly known: readonly number[];
      readonly knownSeqs: readonly number[];
      readonly knownCounts: readonly number[];
      readonly faults: readonly number[];
      readonly faultKinds: readonly ("content" | "debit" | "credit")[];
    } & Places);

/** Who sends a group. */
export interface Sender {
  /** Names the server, for as long as its store is open. */
  readonly replica: string;
  /** Of the group: greater than those before, and the same when a group is sent again. */
  readonly number: number;
  /** How long the database may wait and work before the COMMIT, in ms. */
  readonly withinMs: number;
}

/**
 * Appends a group in one round trip. It is one message of the simple protocol, which the server does not begin with
 * before it has all of it: wherever this process is stopped or cut off, the server goes through to the COMMIT by itself.
 * The statement timeout ends before that, for a COMMIT that waits for a standby must not be broken off and reported as
 * done.
 */
export async function appendGroup(
  connection: Connection,
  sender: Sender,
  lists: Lists,
): Promise<AppendAnswer> {
  const results = await connection.script(
    `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${Math.ceil(sender.withinMs)}; ` +
      `SELECT ${appendFunction}(${argumentsOf(sender, lists)}); SET LOCAL statement_timeout = 0; COMMIT`,
  );
  const command = results.at(-1)?.command;
  if (command !== "COMMIT") throw new Error(`the server answered ${command} to COMMIT`);
  return results[2]?.rows[0]?.[0] as AppendAnswer;
}

function argumentsOf({ replica, number }: Sender, lists: Lists): string {
  const columns = {
    requests: [] as number[],
    ids: [] as string[],
    firsts: [] as number[],
    debits: [] as number[],
    credits: [] as number[],
    amounts: [] as bigint[],
    memos: [] as (string | undefined)[],
  };
  const accounts = new Map<string, number>();
  const firsts = new Map<string, number>();
  for (const [request, list] of lists.entries()) {
    for (const { id, debit, credit, amount, memo } of list) {
      columns.requests.push(request + 1);
      columns.ids.push(id);
      columns.firsts.push(placeOf(firsts, id, columns.ids.length));
      columns.debits.push(placeOf(accounts, debit));
      columns.credits.push(placeOf(accounts, credit));
      columns.amounts.push(amount);
      columns.memos.push(memo);
    }
  }
  const { requests, ids, debits, credits, amounts, memos } = columns;
  return [
    postgresSchemaVersion,
    literal(replica),
    number,
    ...[numbers(requests), texts(ids), numbers(columns.firsts), numbers(debits), numbers(credits)],
    ...[numbers(amounts), texts(memos), texts([...accounts.keys()])],
  ].join(", ");
}

/** The place that a text has got before, or gets now; counted from 1. */
function placeOf(places: Map<string, number>, text: string, place: number = places.size + 1): number {
  const known = places.get(text);
  if (known !== undefined) return known;
  places.set(text, place);
  return place;
}

function numbers(values: readonly (number | bigint)[]): string {
  return `'{${values.join()}}'`;
}

function texts(values: readonly (string | undefined)[]): string {
  const elements = values.map((value) =>
    value === undefined ? "NULL" : `"${value.replace(/["\\]/g, "\\$&")}"`,
  );
  return literal(`{${elements.join()}}`);
}

/** Any text as a string constant. The connection's encoding is UTF8, where no character has these bytes in it. */
function literal(text: string): string {
  return `E'${text.replace(/['\\]/g, "$&$&")}'`;
}

/**
 * What came of each list: its receipts, or why it was refused.
 *
 * @param own groups of this server whose answers were lost: what they kept of these entries is no duplicate
 */
export function resultsOf(
  answer: AppendAnswer & { readonly state: "appended" },
  lists: Lists,
  own: readonly Places[],
): Attempt<LedgerReceipt[]>[] {
  const known = new Map<number, number>();
  for (const [run, at] of answer.known.entries()) {
    for (let i = 0; i < (answer.knownCounts[run] ?? 0); i++)
      known.set(at + i, (answer.knownSeqs[run] ?? 0) + i);
  }
  const faults = new Map(answer.faults.map((at, i) => [at, answer.faultKinds[i]]));
  const claimed = new Set<number>();
  const isFirst = (seq: number): boolean => {
    if (!own.some(({ before, after }) => seq > before && seq <= after) || claimed.has(seq)) return false;
    claimed.add(seq);
    return true;
  };
  let at = 1;
  let last = answer.before;
  return lists.map((list) => {
    const from = at;
    at += list.length;
    for (const [i, entry] of list.entries()) {
      const kind = faults.get(from + i);
      if (kind !== undefined) return { ok: false, error: faultOf(kind, entry) };
    }
    const value = list.map((_, i) => {
      const seq = known.get(from + i);
      return seq === undefined ? { seq: ++last, duplicate: false } : { seq, duplicate: !isFirst(seq) };
    });
    return { ok: true, value };
  });
}

function faultOf(kind: "content" | "debit" | "credit", entry: LedgerEntry): Error {
  return kind === "content" ? contentError(entry.id) : balanceError(entry[kind], entry.id);
}
