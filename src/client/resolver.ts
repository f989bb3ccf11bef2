/** Finds out which servers there are: once for a list, again and again for a name or a function. */
import { lookup } from "node:dns/promises";
import type { Clock, Timer } from "../lifecycle/clock.ts";
import { type Address, type EndpointAddress, parseAddress } from "./address.ts";
import { ClientOptionError } from "./errors.ts";

/** A name whose addresses are all servers, looked up anew every `refreshMs`. */
export interface DnsEndpoints {
  /** The name; over TLS the certificate has to be for it. */
  readonly dns: string;
  /** The port of all of them. */
  readonly port: number;
}

/** The servers: one, a list, a DNS name, or a function that is asked anew every `refreshMs`. */
export type Endpoints =
  | EndpointAddress
  | readonly EndpointAddress[]
  | DnsEndpoints
  | (() => readonly EndpointAddress[] | Promise<readonly EndpointAddress[]>);

export interface ResolverOptions {
  readonly clock: Clock;
  /** How often a name or function is asked, in ms. */
  readonly refreshMs: number;
  /** Takes the servers that there are now. */
  readonly found: (addresses: readonly Address[]) => void;
  /** Hears why they could not be found; those found before stay. */
  readonly failed: (error: unknown) => void;
}

/** While nothing has ever been found, it is asked this often, in ms. */
const firstRefreshMs = 250;
/** What has not answered for so long is asked anew, in ms; an answer that still comes counts. */
const longestAnswerMs = 10_000;

export class Resolver {
  readonly #options: ResolverOptions;
  readonly #ask: (() => Promise<readonly Address[]>) | undefined;
  #found = false;
  /** The pause before it is asked anew, or how long an answer is waited for. */
  #timer: Timer | undefined;
  #stopped = false;
  /** How often it was asked. */
  #asked = 0;
  /** Which question was answered last: later ones know better. */
  #answered = 0;

  /**
   * Gives a list at once, anything else later.
   *
   * @throws {ClientOptionError} when these are no endpoints
   */
  constructor(endpoints: Endpoints, options: ResolverOptions) {
    this.#options = options;
    this.#ask = asking(endpoints);
    if (this.#ask === undefined) options.found(parseList(listOf(endpoints as EndpointAddress)));
    else this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #refresh(): void {
    const turn = ++this.#asked;
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.now() + longestAnswerMs, () => {
      this.#options.failed(new Error(`no endpoints were found within ${longestAnswerMs} ms`));
      this.#later();
    });
    const waited = this.#timer;
    const over = (): void => {
      // Unless it is asked anew already, or about to be.
      if (this.#stopped || this.#timer !== waited) return;
      waited.cancel();
      this.#later();
    };
    void this.#take(turn).then(over);
  }

  /** Never rejects. */
  async #take(turn: number): Promise<void> {
    try {
      const addresses = await this.#ask!();
      if (this.#stopped || turn < this.#answered) return;
      this.#answered = turn;
      this.#found = true;
      this.#options.found(addresses);
    } catch (error) {
      if (!this.#stopped && turn === this.#asked) this.#options.failed(error);
    }
  }

  #later(): void {
    const { clock, refreshMs } = this.#options;
    const waitMs = this.#found ? refreshMs : Math.min(firstRefreshMs, refreshMs);
    this.#timer = clock.setTimer(clock.now() + waitMs, () => this.#refresh());
  }
}

function asking(endpoints: Endpoints): (() => Promise<readonly Address[]>) | undefined {
  if (typeof endpoints === "function") return async () => parseList(listOf(await endpoints()));
  if (typeof endpoints !== "object" || endpoints === null || !("dns" in endpoints)) return undefined;
  const { dns, port } = endpoints;
  parseAddress({ host: dns, port });
  return async () => {
    const records = await lookup(dns, { all: true });
    return parseList(records.map(({ address }) => ({ host: address, port, servername: dns })));
  };
}

function listOf(endpoints: EndpointAddress | readonly EndpointAddress[]): readonly EndpointAddress[] {
  return Array.isArray(endpoints) ? endpoints : [endpoints as EndpointAddress];
}

function parseList(given: readonly EndpointAddress[]): Address[] {
  const addresses = new Map<string, Address>();
  for (const one of given) {
    const address = parseAddress(one);
    addresses.set(address.name, address);
  }
  if (addresses.size === 0) throw new ClientOptionError("createClient: there are no endpoints");
  return [...addresses.values()];
}
