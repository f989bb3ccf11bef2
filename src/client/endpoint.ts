/** One server: the links to it, and whether it gets calls. */
import type { Clock, Timer } from "../lifecycle/clock.ts";
import type { Address } from "./address.ts";
import type { AttemptListener, Carrier, ClientCall, Failure } from "./call.ts";
import type { Answer, CallCodec } from "./call-codec.ts";
import type { Link, LinkOwner, LinkState, OpenLink } from "./link.ts";
import { createProbe, isFit, isProbe } from "./probe.ts";
import { backoffMs } from "./retry-budget.ts";
import { SlowStart } from "./slow-start.ts";

/** Why an endpoint gets no calls. */
export type AwayReason = "unreachable" | "lost" | "leaving" | "silent";

/** Hears of endpoints, and of how attempts end. */
export interface EndpointListener extends AttemptListener {
  /** It gets calls again. */
  well(endpoint: Endpoint): void;
  /** It gets none for now. */
  away(endpoint: Endpoint, reason: AwayReason, cause: unknown): void;
  /** The call waits for a server that does not seem to run. */
  stalled(call: ClientCall): void;
}

export interface EndpointSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly codec: CallCodec;
  readonly open: OpenLink;
  readonly listener: EndpointListener;
  /** The next seqid. */
  readonly seqid: () => number;
  /** Links that may be open at a time. */
  readonly connections: number;
  /** Whether a server has to answer before it gets calls again, or only to take a connection. */
  readonly probe: "call" | "connect";
  readonly connectTimeoutMs: number;
  readonly stallMs: number;
  /** How long an endpoint that has come back gets few calls at a time, in ms. */
  readonly slowStartMs: number;
}

/**
 * - `well`: it gets calls.
 * - `away`: it gets none; a probe is due or under way.
 * - `retired`: it is no endpoint any more, or the client is closed.
 */
type EndpointState = "well" | "away" | "retired";

interface Probe {
  readonly link: Link;
  readonly call: ClientCall | undefined;
  readonly timer: Timer;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;
/** Most servers that are away restart, and are back within a second: so many probes follow at the first pace. */
const steadyProbes = 12;

export class Endpoint implements LinkOwner {
  readonly address: Address;
  inFlight = 0;
  readonly #settings: EndpointSettings;
  readonly #links = new Set<Link>();
  readonly #slowStart: SlowStart;
  #state: EndpointState = "well";
  #reason: AwayReason = "lost";
  #probe: Probe | undefined;
  #pause: Timer | undefined;
  /** Probes and connections that failed since a call was answered. */
  #failures = 0;
  /** When a probe last showed that the server runs. */
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(address: Address, settings: EndpointSettings) {
    this.address = address;
    this.#settings = settings;
    this.#slowStart = new SlowStart(settings.clock, settings.slowStartMs);
  }

  get name(): string {
    return this.address.name;
  }

  get isWell(): boolean {
    return this.#state === "well";
  }

  /** Whether it may have one more call: one that has just come back gets few at a time. */
  get hasRoom(): boolean {
    return this.#slowStart.admits(this.inFlight);
  }

  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /** Has it get few calls at a time at first. */
  startSlowly(): void {
    this.#slowStart.begin();
  }

  /** Hands a call to a link. To be called while it is well. */
  send(call: ClientCall): void {
    this.#choose(call).send(call);
  }

  /** Looks whether the server still runs where it owes answers and sends nothing. */
  checkSilence(): void {
    if (this.#state !== "well" || this.#probe !== undefined) return;
    const { clock, stallMs } = this.#settings;
    const before = clock.now() - stallMs;
    if (this.#seenMs > before) return;
    for (const link of this.#links) {
      if (link.silentSinceMs !== undefined && link.silentSinceMs <= before) {
        this.#startProbe();
        return;
      }
    }
  }

  /** Takes no further calls; links end when theirs are answered. */
  retire(): void {
    this.#state = "retired";
    this.#pause?.cancel();
    this.#dropProbe();
    for (const link of [...this.#links]) link.leave();
  }

  /** Ends what is left of it. */
  destroy(cause: unknown): void {
    for (const link of [...this.#links]) link.destroy(cause);
  }

  opened(link: Link): void {
    if (this.#probe?.link === link && this.#probe.call === undefined) this.#probeAnswered(true);
  }

  serverLeaves(link: Link): void {
    if (this.#probe?.link === link) return;
    link.leave();
    this.#goAway("leaving", undefined);
  }

  spoke(_link: Link): void {
    if (this.#state === "away" && this.#reason === "silent") this.#comeBack();
  }

  ended(link: Link, was: LinkState, lost: number, cause: unknown): void {
    // A probe that was given up on says nothing.
    if (!this.#links.has(link)) return;
    if (link.state === "over") this.#links.delete(link);
    if (this.#probe?.link === link) {
      // A server that closes a connection at a strange call is there; one that has just died resets it.
      const { code } = (cause ?? {}) as NodeJS.ErrnoException;
      this.#probeAnswered(was === "open" && code === undefined);
      return;
    }
    if (was === "connecting") this.#goAway("unreachable", cause);
    else if (was === "open" && lost > 0) this.#goAway("lost", cause);
  }

  answered(call: ClientCall, answer: Answer, carrier: Carrier): void {
    if (isProbe(call)) {
      if (this.#probe?.call === call) this.#probeAnswered(isFit(answer));
      return;
    }
    this.#failures = 0;
    this.#slowStart.answered();
    this.#settings.listener.answered(call, answer, carrier);
  }

  failed(call: ClientCall, failure: Failure, carrier: Carrier): void {
    if (!isProbe(call)) this.#settings.listener.failed(call, failure, carrier);
    // Refused: it leaves, or has too much to do. Anything else comes from a server that runs.
    else if (this.#probe?.call === call) this.#probeAnswered(failure.kind === "unknown");
  }

  /**
   * The link with the fewest calls; a new one while there may be more and none is free. Never one that was sent this
   * call before and may still answer it.
   */
  #choose(call: ClientCall): Link {
    let best: Link | undefined;
    let usable = 0;
    for (const link of this.#links) {
      if (link.stalled || (link.state !== "open" && link.state !== "connecting") || link.knows(call))
        continue;
      usable++;
      if (best === undefined || rank(link) < rank(best)) best = link;
    }
    if (best === undefined || (best.owed > 0 && usable < this.#settings.connections)) {
      const fresh = this.#openLink();
      if (best === undefined || rank(fresh) < rank(best)) best = fresh;
    }
    return best;
  }

  #openLink(): Link {
    const link = this.#settings.open(this.address, this);
    this.#links.add(link);
    return link;
  }

  #goAway(reason: AwayReason, cause: unknown): void {
    if (this.#state !== "well") return;
    this.#state = "away";
    this.#reason = reason;
    this.#dropProbe();
    if (reason === "leaving") for (const link of [...this.#links]) link.leave();
    this.#settings.listener.away(this, reason, cause);
    // Behind one address there may be several servers: the next one may be there already.
    if (reason === "leaving" || reason === "lost") this.#startProbe();
    else this.#probeLater();
    if (reason === "silent") this.#stall();
  }

  #stall(): void {
    for (const link of [...this.#links]) {
      if (this.#probe?.link === link || link.state === "connecting") continue;
      link.stalled = true;
      for (const call of link.waiting()) this.#settings.listener.stalled(call);
      // Over one that owes nothing nothing comes: it would stay, and never be used again.
      if (link.live === 0) link.leave();
    }
  }

  #comeBack(): void {
    this.#state = "well";
    this.#pause?.cancel();
    this.startSlowly();
    this.#settings.listener.well(this);
  }

  #probeLater(): void {
    const { clock, random } = this.#settings;
    const round = Math.max(0, this.#failures++ - steadyProbes);
    const pauseMs = firstPauseMs / 2 + backoffMs(round, firstPauseMs, longestPauseMs, random);
    this.#pause = clock.setTimer(clock.now() + pauseMs, () => this.#startProbe());
  }

  #startProbe(): void {
    const { clock, codec, probe, seqid, connectTimeoutMs, stallMs } = this.#settings;
    const timeoutMs = Math.min(connectTimeoutMs, Math.max(stallMs, 100));
    const nowMs = clock.now();
    const link = this.#openLink();
    const timer = clock.setTimer(nowMs + timeoutMs, () => this.#probeAnswered(false));
    const call = probe === "connect" ? undefined : createProbe(codec, seqid(), nowMs, timeoutMs);
    this.#probe = { link, call, timer };
    if (call !== undefined) link.send(call);
  }

  #probeAnswered(fit: boolean): void {
    const link = this.#probe?.link;
    if (fit) {
      this.#probe?.timer.cancel();
      this.#probe = undefined;
      this.#seenMs = this.#settings.clock.now();
      if (link !== undefined && this.#links.size > this.#settings.connections) link.leave();
      if (this.#state === "away") this.#comeBack();
      return;
    }
    this.#dropProbe();
    if (this.#state === "well") this.#goAway("silent", new Error("the server does not answer"));
    else if (this.#state === "away") this.#probeLater();
  }

  #dropProbe(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    this.#probe = undefined;
    probe.timer.cancel();
    if (probe.call !== undefined) {
      if (probe.call.state !== "settled") probe.call.carrier?.release(probe.call);
      probe.call.state = "settled";
    }
    this.#links.delete(probe.link);
    probe.link.destroy(new Error("the probe is over"));
  }
}

/** What making a connection is worth, in calls. */
const connectingCost = 8;
const givenUpCost = 1000;

/** Fewer calls are better; worst is one on which a call was given up, for its answer may hold up all behind it. */
function rank({ owed, live, state }: Link): number {
  return owed + (state === "connecting" ? connectingCost : 0) + (owed > live ? givenUpCost : 0);
}
