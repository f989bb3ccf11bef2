/** Connections over real sockets, with a call desk behind them and lanes that do what the test says. */
import type { TestContext } from "node:test";
import type { Call } from "../../../src/calls/call.ts";
import { CallLedger, sumOfOutcomes } from "../../../src/calls/call-ledger.ts";
import { CallDesk } from "../../../src/calls/desk.ts";
import { MethodTable } from "../../../src/calls/method-table.ts";
import type { Outcome } from "../../../src/calls/outcome.ts";
import { createSystemClock } from "../../../src/lifecycle/clock.ts";
import { Acceptor } from "../../../src/net/acceptor.ts";
import { Connections, type ConnectionsOptions } from "../../../src/net/connections.ts";
import { encodeCall, frame, MessageType } from "../../support/binary.ts";
import { connectRaw, type RawClient } from "../../support/raw-client.ts";
import { createMethod, FakeLanes } from "../calls/fakes.ts";

const methods = [
  createMethod({ index: 0, name: "add" }),
  createMethod({ index: 1, name: "note", oneway: true }),
  createMethod({ index: 2, name: "getName", service: "fb303", runs: "main" }),
];

/** Lanes that keep a copy of what they are handed and wake the test. */
class KeepingLanes extends FakeLanes {
  onSubmit: () => void = () => {};
  override submit(calls: readonly Call[], count: number): void {
    super.submit(calls, count);
    for (const call of calls.slice(0, count)) {
      call.bytes = Buffer.from(call.bytes!.subarray(call.start, call.end));
      call.end -= call.start;
      call.start = 0;
    }
    this.onSubmit();
  }
}

export class NetRig {
  readonly ledger: CallLedger = new CallLedger();
  readonly lanes: KeepingLanes = new KeepingLanes();
  readonly desk: CallDesk;
  readonly connections: Connections;
  readonly acceptor: Acceptor;
  readonly logged: string[] = [];
  readonly #t: TestContext;
  #wakers: (() => void)[] = [];

  constructor(t: TestContext, options: Partial<ConnectionsOptions> = {}) {
    this.#t = t;
    const clock = options.clock ?? createSystemClock();
    this.desk = new CallDesk({
      ledger: this.ledger,
      now: () => clock.now(),
      setTimer: (atMs, fire) => clock.setTimer(atMs, fire),
      encodeException: (_form, name, seqid, type, message) =>
        frame(encodeCall(name, seqid, { 1: { string: message }, 2: { i32: type } }, MessageType.EXCEPTION)),
      answerLocally: (method, _form, { seqid }) => ({
        outcome: "completed",
        bytes: frame(encodeCall(method.name, seqid, { 0: { string: "main" } }, MessageType.REPLY)),
      }),
      maxInFlight: 100_000,
      maxBufferedBytes: options.maxBufferedBytes ?? 1 << 30,
    });
    this.desk.open(new MethodTable(methods, "Calc", "fb303"), this.lanes);
    this.connections = new Connections({
      desk: this.desk,
      clock,
      limits: {
        maxFrameSizeBytes: 1 << 24,
        maxMessageSizeBytes: 1 << 24,
        recursionLimit: 64,
        maxContainerElements: 1e6,
      },
      replyOrder: "request",
      maxInFlightPerConnection: 1024,
      writeHighWaterBytes: 1 << 20,
      maxBufferedBytes: 1 << 30,
      plaintext: "allow",
      origins: [],
      quietMs: 20,
      busyCloseMs: 200,
      idleTimeoutMs: undefined,
      partialFrameTimeoutMs: undefined,
      writeTimeoutMs: undefined,
      maxConnectionAgeMs: undefined,
      log: (_level, message) => this.logged.push(message),
      ...options,
    });
    this.acceptor = new Acceptor((socket) => this.connections.accept(socket), 1000);
    this.lanes.onSubmit = () => this.#wake();
    t.after(async () => {
      await this.acceptor.close();
      this.connections.destroyAll();
      this.connections.close();
    });
  }

  async listen(): Promise<this> {
    await this.acceptor.listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    return this;
  }

  get port(): number {
    return (this.acceptor.address as { port: number }).port;
  }

  connect(): Promise<RawClient> {
    return connectRaw(this.#t, { connect: { port: this.port } });
  }

  /** Resolves when lanes have got so many calls in all. */
  async handed(count: number): Promise<Call[]> {
    while (this.lanes.handed.length < count) await new Promise<void>((resolve) => this.#wakers.push(resolve));
    return this.lanes.handed;
  }

  /** The worker answers calls, with so many bytes each. */
  reply(calls: readonly Call[], bytes = 0, outcome: Outcome = "completed"): void {
    const text = "r".repeat(bytes);
    const replies = calls.map(({ seqid, method }) =>
      method!.oneway
        ? Buffer.alloc(0)
        : frame(encodeCall(method!.name, seqid, { 0: { string: text } }, MessageType.REPLY)),
    );
    // In one buffer, as they lie in a lane's ring, which is used again after the draining.
    const ring = Buffer.concat(replies);
    let at = 0;
    calls.forEach((call, index) => {
      const end = at + replies[index]!.length;
      this.desk.replied(call, outcome, ring, at, end);
      at = end;
    });
    this.desk.repliesDrained();
    ring.fill(0xff);
  }

  /** Counts that are not zero; throws when they do not add up. */
  get counts(): Record<string, number> {
    const { received, ...rest } = this.ledger.totals();
    if (received !== sumOfOutcomes(rest) + rest.owed) throw new Error("the sum is not right");
    return Object.fromEntries(Object.entries(rest).filter(([, count]) => count > 0));
  }

  /** Looks again at every turn of the event loop until it is so. */
  async until(so: () => boolean): Promise<void> {
    while (!so()) await new Promise((resolve) => setImmediate(resolve));
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
