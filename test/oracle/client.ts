/** One client of the oracle: behaves as its kind does and writes down what it sent and what it saw. */
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { decodeMessage, encodeCall, frame, MessageType } from "../support/binary.ts";
import { type ClientPlan, stepsOf } from "./plan.ts";
import { textOf } from "./scripted.ts";

export interface SentCall {
  readonly id: string;
  readonly seqid: number;
  readonly oneway: boolean;
  /** When its last byte was written, as `performance.now()` counts; undefined if that never happened. */
  wholeAtMs: number | undefined;
}

export interface SeenReply {
  readonly seqid: number;
  readonly exception: boolean;
  readonly text: string;
}

const mostCalls = 400;
const mostOutstanding = 60;

export class OracleClient {
  readonly plan: ClientPlan;
  readonly sent: SentCall[] = [];
  readonly seen: SeenReply[] = [];
  /** How the connection ended for this client. `refused`: it was never connected. */
  end: "fin" | "refused" | "left" | string = "open";
  connectedAtMs: number = Number.POSITIVE_INFINITY;
  finAtMs: number = Number.POSITIVE_INFINITY;
  /** What could not be read as a reply. */
  torn = "";
  readonly #socket: Socket;
  readonly #over = Promise.withResolvers<void>();
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;
  #wakers: (() => void)[] = [];

  constructor(plan: ClientPlan, port: number) {
    this.plan = plan;
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    this.#socket = socket;
    socket.on("connect", () => {
      this.connectedAtMs = performance.now();
      this.#wake();
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => {
      this.#ends("fin");
      socket.end();
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.#ends(this.connectedAtMs === Number.POSITIVE_INFINITY ? "refused" : (error.code ?? error.message)),
    );
    socket.on("close", () => {
      this.#ends("left");
      this.#over.resolve();
    });
  }

  /** Resolves when the connection is closed on both sides. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Whether this client broke the connection itself, or may have lost what it was sent. */
  get left(): boolean {
    // EPIPE: FIN had come, but a write failed before it was read.
    return this.end === "left" || this.end === "EPIPE";
  }

  /** Gives the connection up. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Makes one call, for a client that behaves in no way. */
  async once(steps: string): Promise<void> {
    await this.#connected();
    this.#send(this.#encode(steps, false));
  }

  /** Behaves as planned, until the connection ends. */
  async run(stopped: Promise<void>): Promise<void> {
    await this.#connected();
    switch (this.plan.kind) {
      case "sequential":
      case "late":
        return this.#bursts(1, 0);
      case "pipelined":
        return this.#bursts(40, 0);
      case "oneway":
        return this.#bursts(6, 0.7);
      case "dribbling":
        return this.#dribble();
      case "half-closing":
        await sleep(this.plan.random.int(0, 100));
        this.#burst(this.plan.random.int(1, 30), 0.2);
        this.#socket.end();
        return;
      case "disconnecting":
        this.#burst(this.plan.random.int(1, 30), 0.2);
        if (this.plan.random.chance(0.5)) this.#socket.write(this.#encode("", false).bytes.subarray(0, 9));
        await sleep(this.plan.random.int(0, 300));
        this.destroy();
        return;
      case "unpausing":
        return this.#unpausing();
      case "partial":
        return this.#partial(stopped);
      case "idle":
        return;
    }
  }

  async #bursts(most: number, onewayShare: number): Promise<void> {
    const { random } = this.plan;
    while (!this.#ended && this.sent.length < mostCalls) {
      this.#burst(random.int(1, most), onewayShare);
      await this.#until(() => this.#outstanding === 0);
      if (random.chance(0.7)) await sleep(random.int(0, 20));
    }
  }

  async #dribble(): Promise<void> {
    const { random } = this.plan;
    while (!this.#ended && this.sent.length < 40) {
      const call = this.#encode(random.chance(0.5) ? "" : " sleep 5", random.chance(0.2));
      for (let at = 0; at < call.bytes.length && !this.#ended; at++) {
        this.#socket.write(call.bytes.subarray(at, at + 1));
        if (at === call.bytes.length - 1) call.sent.wholeAtMs = performance.now();
        if (random.chance(0.3)) await nextTurn();
      }
    }
  }

  async #unpausing(): Promise<void> {
    const { random } = this.plan;
    for (let calls = 0; !this.#ended && calls < 3000; calls++) {
      this.#send(this.#encode(random.chance(0.2) ? " sleep 3" : "", false));
      if (random.chance(0.5)) await nextTurn();
      await this.#until(() => this.#outstanding < mostOutstanding);
    }
  }

  async #partial(stopped: Promise<void>): Promise<void> {
    const { random } = this.plan;
    const call = this.#encode("", random.chance(0.2));
    const at = random.int(1, call.bytes.length - 1);
    this.#socket.write(call.bytes.subarray(0, at));
    await stopped;
    await sleep(random.int(0, 250));
    if (this.#ended) return;
    this.#socket.write(call.bytes.subarray(at));
    call.sent.wholeAtMs = performance.now();
  }

  #burst(count: number, onewayShare: number): void {
    const { random } = this.plan;
    const calls = Array.from({ length: count }, () =>
      this.#encode(stepsOf(random), random.chance(onewayShare)),
    );
    this.#socket.write(Buffer.concat(calls.map(({ bytes }) => bytes)));
    for (const { sent } of calls) sent.wholeAtMs = performance.now();
  }

  #send({ bytes, sent }: { bytes: Buffer; sent: SentCall }): void {
    this.#socket.write(bytes);
    sent.wholeAtMs = performance.now();
  }

  #encode(steps: string, oneway: boolean): { bytes: Buffer; sent: SentCall } {
    const { plan } = this;
    const seqid = this.sent.length + 1;
    const sent: SentCall = { id: `${plan.id}-${seqid}`, seqid, oneway, wholeAtMs: undefined };
    this.sent.push(sent);
    const type = oneway && plan.random.chance(0.5) ? MessageType.ONEWAY : MessageType.CALL;
    // A oneway that takes megabytes or answers is no use.
    const text = sent.id + (steps.startsWith(" grow") && oneway ? "" : steps);
    const message = encodeCall(oneway ? "note" : "echo", seqid, { 1: { string: text } }, type);
    return { bytes: plan.framed ? frame(message) : message, sent };
  }

  get #outstanding(): number {
    return this.#awaited() - this.seen.length;
  }

  #awaitedUpTo = 0;
  #awaitedCount = 0;

  /** Calls sent so far that will be answered. */
  #awaited(): number {
    for (; this.#awaitedUpTo < this.sent.length; this.#awaitedUpTo++) {
      if (!this.sent[this.#awaitedUpTo]!.oneway) this.#awaitedCount++;
    }
    return this.#awaitedCount;
  }

  get #ended(): boolean {
    return this.end !== "open";
  }

  #connected(): Promise<void> {
    return this.#until(() => this.connectedAtMs < Number.POSITIVE_INFINITY);
  }

  /** Resolves when it holds, or the connection has ended. */
  async #until(holds: () => boolean): Promise<void> {
    while (!this.#ended && !holds()) await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    try {
      for (let message = this.#cut(); message !== undefined; message = this.#cut()) {
        const { seqid, type } = message;
        this.seen.push({ seqid, exception: type === MessageType.EXCEPTION, text: textOf(message) });
      }
    } catch (error) {
      this.torn ||= String(error);
    }
    this.#wake();
  }

  #cut(): ReturnType<typeof decodeMessage> {
    const head = this.plan.framed ? 4 : 0;
    if (this.#rest.length <= head) return undefined;
    if (this.plan.framed && this.#rest.length < 4 + this.#rest.readInt32BE()) return undefined;
    const message = decodeMessage(this.#rest, head);
    if (message !== undefined) this.#rest = this.#rest.subarray(head + message.length);
    return message;
  }

  #ends(how: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.end = how;
    this.finAtMs = performance.now();
    if (this.#rest.length > 0 && how !== "left")
      this.torn ||= `${this.#rest.length} bytes of a reply and no more`;
    this.#wake();
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}
