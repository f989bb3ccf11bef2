/** What must hold after a drain, whatever happened. */
import { outcomes } from "../support/report.ts";
import type { Ended, LogLine } from "../support/server-process.ts";
import type { OracleClient, SeenReply } from "./client.ts";
import type { SeedPlan } from "./plan.ts";
import type { Start } from "./scripted.ts";

/** From the last log line to the end of the process, on a busy machine. */
const longestExitMs = 2000;

/** By id. */
type Executed = ReadonlyMap<string, Start>;

/** All that is known of one run. */
export interface Run {
  readonly plan: SeedPlan;
  readonly clients: readonly OracleClient[];
  /** Clients that made the calls that hurt. */
  readonly hurting: readonly OracleClient[];
  /** The calls that were executed, in the order in which they began. */
  readonly executed: readonly Start[];
  readonly ended: Ended;
  /** When the stop was asked for, as `performance.now()` counts. */
  readonly stopAtMs: number;
}

/** Says what does not hold; nothing when all does. */
export function violationsOf(run: Run): string[] {
  const found: string[] = [];
  const all = [...run.clients, ...run.hurting];
  const executed = new Map(run.executed.map((start) => [start.id, start]));
  if (executed.size !== run.executed.length) {
    const ids = run.executed.map(({ id }) => id);
    found.push(`executed twice: ${ids.filter((id, at) => ids.indexOf(id) !== at)}`);
  }
  for (const client of all) {
    const who = `${client.plan.kind} client ${client.plan.id}`;
    for (const what of clientViolations(run, client, executed)) found.push(`${who}: ${what}`);
  }
  found.push(...endViolations(run), ...countViolations(run, all, executed));
  return found;
}

/** Whether a reply says that its call never started. */
export function isRefusal({ exception, text }: SeenReply): boolean {
  return exception && /not started|never started/.test(text);
}

/** Whether a reply says that its call was cut. */
export function isCut({ exception, text }: SeenReply): boolean {
  return exception && /unknown whether/.test(text);
}

function* clientViolations(run: Run, client: OracleClient, executed: Executed): Generator<string> {
  const { sent, seen } = client;
  if (client.torn !== "") yield `what it read does not parse: ${client.torn}`;
  if (!client.left && client.end !== "fin" && client.end !== "refused" && !cameTooLate(run, client)) {
    yield `it ended by ${client.end}`;
  }
  const answered = new Set<number>();
  for (const reply of seen) {
    const call = sent[reply.seqid - 1];
    if (call === undefined || call.oneway) yield `a reply to no call: ${JSON.stringify(reply).slice(0, 200)}`;
    else {
      if (answered.has(reply.seqid)) yield `two replies to call ${call.id}`;
      answered.add(reply.seqid);
      const ran = executed.has(call.id);
      if (isRefusal(reply) && ran) yield `${call.id} was refused and executed: ${reply.text}`;
      // A worker can be ended between a call's start and its first line.
      if (!isRefusal(reply) && !isCut(reply) && !ran) {
        yield `${call.id} was answered and not executed: ${reply.text}`;
      }
      if (!reply.exception && reply.text.replace(/x*$/, "") !== call.id)
        yield `${call.id} got a foreign reply`;
      if (reply.exception && !isRefusal(reply) && !isCut(reply)) yield `${call.id} failed: ${reply.text}`;
    }
  }
  yield* orderViolations(run, client, executed);
  if (client.left) return;
  for (const call of sent) {
    if (call.oneway || answered.has(call.seqid)) continue;
    if (executed.has(call.id)) yield `${call.id} was executed and not answered`;
    // A client that pauses was read to its last byte; of one that does not, what it sent last may be unread.
    else if (
      client.plan.kind !== "unpausing" &&
      (call.wholeAtMs ?? Number.POSITIVE_INFINITY) < run.stopAtMs
    ) {
      yield `${call.id} was sent ${Math.round(run.stopAtMs - call.wholeAtMs!)} ms before the stop and not answered`;
    }
  }
}

/** Between the last accept and the listener's end the kernel may take connections that nobody gets. */
function cameTooLate({ stopAtMs }: Run, { end, connectedAtMs, seen }: OracleClient): boolean {
  return end === "ECONNRESET" && connectedAtMs > stopAtMs && seen.length === 0;
}

function* orderViolations(
  { plan }: Run,
  { sent, seen }: OracleClient,
  executed: Executed,
): Generator<string> {
  if (plan.replyOrder === "request") {
    const expected = sent.filter(({ oneway }) => !oneway).map(({ seqid }) => seqid);
    const at = seen.findIndex(({ seqid }, index) => seqid !== expected[index]);
    if (at >= 0) yield `reply ${at + 1} is to call ${seen[at]!.seqid}, not to ${expected[at]}`;
  }
  let oneway: Start | undefined;
  for (const call of sent) {
    const start = executed.get(call.id);
    if (start === undefined) continue;
    // A worker may stand still between a call's start and its first line. But while it was busy with another call
    // the oneway had surely not started.
    if (oneway !== undefined && start.atMs < oneway.workerFreeAtMs) {
      const earlierMs = (oneway.atMs - start.atMs).toFixed(1);
      const workers = `worker ${start.worker}, the oneway's ${oneway.worker}`;
      yield `${call.id} started ${earlierMs} ms before the oneway ${oneway.id} (${workers})`;
    }
    if (call.oneway) oneway = start;
  }
}

function* endViolations({ plan, ended, stopAtMs, clients }: Run): Generator<string> {
  const { last, code, signal } = ended;
  if (signal !== null) yield `the server was ended by ${signal}`;
  if (last["msg"] !== "stopped") yield `the last line is ${JSON.stringify(last)}; stderr: ${ended.stderr}`;
  if (last["exitCode"] !== code) yield `exit code ${code}, and the report says ${last["exitCode"]}`;
  const cut = last["cut"] as number;
  if (!plan.mayCut && cut > 0) yield `${cut} calls were cut for no reason`;
  const expected = cut === 0 ? [0] : plan.hurts.length > 0 ? [0, 3] : [3];
  if (!expected.includes(code!))
    yield `exit code ${code} with ${cut} calls cut, failures: ${JSON.stringify(last["failures"])}`;
  const drainMs = last["drainMs"] as number;
  if (drainMs > plan.graceMs + 100) yield `the stop took ${drainMs} ms; grace is ${plan.graceMs}`;
  const tookMs = Math.round(ended.atMs - stopAtMs);
  if (tookMs > plan.graceMs + longestExitMs) yield `the process was gone after ${tookMs} ms only`;
  const refusals = clients.flatMap(({ seen }) => seen.filter(isRefusal)).length;
  if (refusals > 1000) yield `a storm of ${refusals} refusals`;
}

function* countViolations(
  { ended }: Run,
  clients: readonly OracleClient[],
  executed: Executed,
): Generator<string> {
  const { last } = ended;
  const count = (name: string): number => last[name] as number;
  const received = count("received");
  const sum = outcomes.reduce((total, outcome) => total + count(outcome), 0);
  if (received !== sum || count("owed") !== 0) yield `received ${received}, but ${told(last)}`;
  if (count("malformed") > 0) yield `${count("malformed")} messages were malformed`;
  const whole = clients.flatMap(({ sent }) => sent.filter(({ wholeAtMs }) => wholeAtMs !== undefined));
  if (received > whole.length) yield `received ${received} of ${whole.length} that were sent whole`;
  if (executed.size > received) yield `executed ${executed.size} of ${received} received`;
  const replies = clients.flatMap(({ seen }) => seen);
  const answered = replies.filter(({ exception }) => !exception).length;
  const refused = replies.filter(isRefusal).length;
  const cut = replies.filter(isCut).length;
  const seen = `clients saw ${answered} replies, ${refused} refusals, ${cut} cuts; ${told(last)}`;
  if (answered > count("completed") || refused > count("rejected") || cut > count("cut")) yield seen;
  // With nobody gone, the two sides agree exactly.
  if (clients.some(({ left }) => left)) return;
  const oneways = whole.filter(({ id, oneway }) => oneway && executed.has(id)).length;
  if (answered !== count("completed") || count("orphaned") > 0) yield `not everything arrived: ${seen}`;
  // A oneway that was cut may have been ended between its start and its first line.
  const cutOneways = count("cut") - cut;
  if (oneways < count("oneway") || oneways > count("oneway") + cutOneways) {
    yield `${oneways} oneways were executed; ${seen}`;
  }
}

function told(last: LogLine): string {
  return outcomes.map((outcome) => `${outcome} ${last[outcome]}`).join(", ");
}
