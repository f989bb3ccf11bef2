/** A call desk between fake callers and fake lanes, with a clock that the test moves. */
import type { Call } from "../../../src/calls/call.ts";
import { CallLedger, sumOfOutcomes } from "../../../src/calls/call-ledger.ts";
import { CallDesk } from "../../../src/calls/desk.ts";
import { type Method, MethodTable } from "../../../src/calls/method-table.ts";
import type { Outcome, OutcomeCounts } from "../../../src/calls/outcome.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";
import { createMessage, createMethod, FakeCaller, FakeLanes } from "./fakes.ts";

const methods: readonly Method[] = [
  createMethod({ index: 0, name: "add" }),
  createMethod({ index: 1, name: "note", oneway: true }),
  createMethod({ index: 2, name: "slow", timeoutMs: 100 }),
  createMethod({ index: 3, name: "slowNote", oneway: true, timeoutMs: 100 }),
  createMethod({ index: 4, service: "fb303", name: "getName", runs: "main" }),
  createMethod({ index: 5, service: "fb303", name: "reinitialize", runs: "main", oneway: true }),
];

export class DeskRig {
  readonly clock: FakeClock = new FakeClock();
  readonly ledger: CallLedger = new CallLedger();
  readonly lanes: FakeLanes = new FakeLanes();
  readonly desk: CallDesk;
  readonly caller: FakeCaller;

  constructor(maxInFlight = 1000, maxBufferedBytes: number = 1 << 30) {
    this.desk = new CallDesk({
      ledger: this.ledger,
      now: () => this.clock.now(),
      setTimer: (atMs, fire) => this.clock.setTimer(atMs, fire),
      encodeException: (_form, name, seqid, type, message) =>
        Buffer.from(`${name} ${seqid} exception ${type}: ${message}`),
      answerLocally: ({ name, oneway }) => ({
        outcome: oneway ? "oneway" : "completed",
        bytes: Buffer.from(oneway ? "" : `${name} from the main thread`),
      }),
      maxInFlight,
      maxBufferedBytes,
    });
    this.desk.open(new MethodTable(methods, "Calc", "fb303"), this.lanes);
    this.caller = this.createCaller();
  }

  createCaller(id = 1): FakeCaller {
    return new FakeCaller((call, outcome) => this.desk.settle(call, outcome, this.clock.now()), id);
  }

  /** One read with these messages in it. Returns the calls that lanes got of it. */
  read(names: readonly string[], caller: FakeCaller = this.caller, refusal?: string): Call[] {
    const before = this.lanes.handed.length;
    names.forEach((name, at) => {
      this.desk.arrive(caller, createMessage(name, "", at + 1), this.clock.now(), refusal);
    });
    this.desk.endOfRead(caller);
    return this.lanes.handed.slice(before);
  }

  /** The worker has done with these calls. */
  reply(calls: readonly Call[], outcome: Outcome = "completed", text = "reply"): void {
    const bytes = Buffer.from(text);
    for (const call of calls) this.desk.replied(call, outcome, bytes, 0, bytes.length);
    this.desk.repliesDrained();
  }

  /** All counts that are not zero; throws when they do not add up. */
  get counts(): Partial<OutcomeCounts> & { owed?: number } {
    const { received, malformed: _m, orphanedStarted: _o, ...rest } = this.ledger.totals();
    if (received !== sumOfOutcomes(rest) + rest.owed) throw new Error("the sum is not right");
    return Object.fromEntries(Object.entries(rest).filter(([, count]) => count > 0));
  }
}
