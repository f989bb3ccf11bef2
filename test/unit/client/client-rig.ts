/** Endpoints with links that a test opens, answers and breaks by hand, under a clock that it moves by hand. */

import { parseAddress } from "../../../src/client/address.ts";
import type { ClientCall, Failure } from "../../../src/client/call.ts";
import { ClientCall as Call } from "../../../src/client/call.ts";
import { type Answer, CallCodec } from "../../../src/client/call-codec.ts";
import { type CallOutcome, Dispatcher, type RetryOptions } from "../../../src/client/dispatcher.ts";
import { EndpointSet } from "../../../src/client/endpoint-set.ts";
import type { Link, LinkOwner, LinkState } from "../../../src/client/link.ts";
import type { ClientMethod } from "../../../src/client/method-table.ts";
import { isProbe } from "../../../src/client/probe.ts";
import { FakeClock } from "../lifecycle/fake-clock.ts";

export class FakeLink implements Link {
  readonly endpoint: LinkOwner;
  readonly gone: Promise<void> = Promise.resolve();
  state: LinkState = "connecting";
  live = 0;
  stalled = false;
  silentSinceMs: number | undefined;
  readonly calls: ClientCall[] = [];

  constructor(owner: LinkOwner) {
    this.endpoint = owner;
  }

  get owed(): number {
    return this.live;
  }

  /** Its first call is the question whether the server is there. */
  get isProbe(): boolean {
    return this.calls[0] !== undefined && isProbe(this.calls[0]);
  }

  send(call: ClientCall): void {
    call.carrier = this;
    call.state = this.state === "open" ? "sent" : "queued";
    this.calls.push(call);
    this.live++;
    this.endpoint.inFlight++;
  }

  knows(call: ClientCall): boolean {
    return this.calls.includes(call);
  }

  waiting(): ClientCall[] {
    return this.calls.filter((call) => call.carrier === this);
  }

  release(call: ClientCall): void {
    call.carrier = undefined;
    this.live--;
    this.endpoint.inFlight--;
  }

  leave(): void {
    this.state = "leaving";
  }

  destroy(cause: unknown): void {
    if (this.state !== "over") this.break(cause);
  }

  /** The connection stands, and what waited is written. */
  open(): void {
    this.state = "open";
    for (const call of this.waiting()) call.state = "sent";
    this.endpoint.opened(this);
  }

  answer(call: ClientCall, answer: Answer = { kind: "result", value: 2 }): void {
    if (call.carrier === this) this.release(call);
    this.endpoint.answered(call, answer, this);
  }

  refuse(
    call: ClientCall,
    kind: Failure["kind"] = "not-started",
    cause: unknown = new Error("refused"),
  ): void {
    this.release(call);
    this.endpoint.failed(call, { kind, reached: true, cause }, this);
  }

  /** The connection ends. */
  break(cause: unknown = new Error("broken")): void {
    const was = this.state;
    const lost = this.waiting();
    this.state = "over";
    this.endpoint.ended(this, was, lost.length, cause);
    for (const call of lost) {
      if (call.carrier !== this) continue;
      const kind = call.state === "sent" ? "unknown" : "not-started";
      this.release(call);
      this.endpoint.failed(call, { kind, reached: kind === "unknown", cause }, this);
    }
  }
}

export interface ClientRigOptions {
  readonly endpoints?: readonly string[];
  readonly retries?: RetryOptions;
  readonly random?: () => number;
  readonly connections?: number;
  readonly probe?: "call" | "connect";
  readonly slowStartMs?: number;
}

/** How a call ended. */
export interface Ended {
  readonly call: ClientCall;
  value?: unknown;
  error?: unknown;
}

export class ClientRig {
  readonly clock: FakeClock = new FakeClock();
  readonly links: FakeLink[] = [];
  readonly set: EndpointSet;
  readonly dispatcher: Dispatcher;
  readonly outcomes: CallOutcome[] = [];
  readonly away: string[] = [];
  repeats = 0;
  #seqid = 0;

  constructor(options: ClientRigOptions = {}) {
    const { endpoints = ["a:1", "b:1", "c:1"], retries = {}, random = () => 0.5 } = options;
    const { clock } = this;
    this.dispatcher = new Dispatcher({
      clock,
      random,
      retries,
      stallMs: 1000,
      observer: {
        settled: (_, outcome) => void this.outcomes.push(outcome),
        repeated: () => void this.repeats++,
        away: ({ name }, reason) => void this.away.push(`${name} ${reason}`),
      },
    });
    this.set = new EndpointSet({
      clock,
      random,
      codec: new CallCodec("binary", { recursionLimit: 64, maxContainerElements: 1000 }, 4),
      open: (_, owner) => {
        const link = new FakeLink(owner);
        this.links.push(link);
        return link;
      },
      listener: this.dispatcher,
      seqid: () => ++this.#seqid,
      connections: options.connections ?? 1,
      probe: options.probe ?? "call",
      connectTimeoutMs: 2000,
      stallMs: 1000,
      slowStartMs: options.slowStartMs ?? 1000,
    });
    this.dispatcher.use(this.set);
    this.set.set(endpoints.map(parseAddress));
  }

  /** Makes a call. */
  call(options: Partial<Pick<ClientMethod, "idempotent" | "timeoutMs">> = {}): Ended {
    const method = {
      name: "post",
      wireName: "post",
      send: () => {},
      receive: () => {},
      arity: 0,
      idempotent: false,
      timeoutMs: 10_000,
      ...options,
    };
    const timing = { timeoutMs: method.timeoutMs, startedMs: this.clock.now() };
    const ended: { call?: ClientCall; value?: unknown; error?: unknown } = {};
    const call = new Call(
      method,
      ++this.#seqid,
      Buffer.alloc(1),
      timing,
      undefined,
      (value) => {
        ended.value = value;
      },
      (error) => {
        ended.error = error;
      },
    );
    ended.call = call;
    this.dispatcher.start(call);
    return ended as Ended;
  }

  /** The link that a call waits for. */
  linkOf({ call }: Ended): FakeLink {
    return call.carrier as FakeLink;
  }

  /** How many calls wait for an answer of each endpoint, by its name. */
  get loads(): Record<string, number> {
    return Object.fromEntries([...this.set.all].map(({ name, inFlight }) => [name, inFlight]));
  }

  /** The link that is a probe of the endpoint, and not over. */
  probeOf(name: string): FakeLink | undefined {
    return this.links.find(
      (link) =>
        link.endpoint.name === name && link.isProbe && link.waiting().length > 0 && link.state !== "over",
    );
  }
}
