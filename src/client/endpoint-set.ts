/** The endpoints of a client: who gets the next call. */
import type { Address } from "./address.ts";
import { Endpoint, type EndpointSettings } from "./endpoint.ts";

export class EndpointSet {
  readonly #settings: EndpointSettings;
  readonly #endpoints = new Map<string, Endpoint>();
  /** Endpoints that are none any more and still have links. */
  readonly #retired = new Set<Endpoint>();

  constructor(settings: EndpointSettings) {
    this.#settings = settings;
  }

  get all(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** Makes these the endpoints. Those that are known stay as they are. */
  set(addresses: readonly Address[]): void {
    const names = new Set(addresses.map(({ name }) => name));
    for (const [name, endpoint] of this.#endpoints) if (!names.has(name)) this.#retire(endpoint);
    const added: Endpoint[] = [];
    const others = this.#endpoints.size > 0;
    for (const address of addresses) {
      if (this.#endpoints.has(address.name)) continue;
      const endpoint = new Endpoint(address, this.#settings);
      // One that joins others has just started, most likely.
      if (others) endpoint.startSlowly();
      this.#endpoints.set(address.name, endpoint);
      added.push(endpoint);
    }
    for (const endpoint of added) this.#settings.listener.well(endpoint);
  }

  get hasWell(): boolean {
    for (const endpoint of this.#endpoints.values()) if (endpoint.isWell) return true;
    return false;
  }

  /**
   * Of two endpoints drawn at random, the one with fewer calls in flight. Those that start slowly and have no room are
   * drawn only where all are such.
   *
   * @returns undefined when none is well, or all that are well are to be avoided
   */
  choose(avoided: ReadonlySet<object> | undefined): Endpoint | undefined {
    const usable: Endpoint[] = [];
    let full = 0;
    for (const endpoint of this.#endpoints.values()) {
      if (!endpoint.isWell || avoided?.has(endpoint) === true) continue;
      usable.push(endpoint);
      if (!endpoint.hasRoom) full++;
    }
    const someAre = full > 0 && full < usable.length;
    return this.#chooseOf(someAre ? usable.filter(({ hasRoom }) => hasRoom) : usable);
  }

  checkSilence(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.checkSilence();
  }

  /** Retires all. */
  retire(): void {
    for (const endpoint of this.#endpoints.values()) this.#retire(endpoint);
  }

  /** Ends all links that are left. */
  destroy(cause: unknown): void {
    for (const endpoint of [...this.#retired, ...this.#endpoints.values()]) endpoint.destroy(cause);
  }

  #chooseOf(usable: readonly Endpoint[]): Endpoint | undefined {
    if (usable.length < 2) return usable[0];
    const first = this.#draw(usable.length);
    const second = (first + 1 + this.#draw(usable.length - 1)) % usable.length;
    const [one, other] = [usable[first]!, usable[second]!];
    return other.inFlight < one.inFlight ? other : one;
  }

  #retire(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.name);
    endpoint.retire();
    for (const old of this.#retired) if (old.links.size === 0) this.#retired.delete(old);
    if (endpoint.links.size > 0) this.#retired.add(endpoint);
  }

  #draw(count: number): number {
    return Math.min(count - 1, Math.floor(this.#settings.random() * count));
  }
}
