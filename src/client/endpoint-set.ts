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
    for (const address of addresses) {
      if (this.#endpoints.has(address.name)) continue;
      const endpoint = new Endpoint(address, this.#settings);
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
   * Of two endpoints drawn at random, the one with fewer calls in flight.
   *
   * @returns undefined when none is well, or all that are well are to be avoided
   */
  choose(avoided: ReadonlySet<object> | undefined): Endpoint | undefined {
    const usable: Endpoint[] = [];
    for (const endpoint of this.#endpoints.values()) {
      if (endpoint.isWell && avoided?.has(endpoint) !== true) usable.push(endpoint);
    }
    if (usable.length < 2) return usable[0];
    const first = this.#draw(usable.length);
    const second = (first + 1 + this.#draw(usable.length - 1)) % usable.length;
    const [one, other] = [usable[first]!, usable[second]!];
    return other.inFlight < one.inFlight ? other : one;
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
