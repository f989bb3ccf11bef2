/** Counters that are added to in memory and written now and then. */
import { clampI64 } from "./i64.ts";

/** The values by name, and which of them are not yet written. */
export class CounterBuffer {
  readonly #values: Map<string, bigint>;
  #unwritten = new Set<string>();

  constructor(stored: Iterable<readonly [string, bigint]>) {
    this.#values = new Map(stored);
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  add(name: string, delta: bigint): void {
    this.#values.set(name, clampI64((this.#values.get(name) ?? 0n) + delta));
    this.#unwritten.add(name);
  }

  /** A copy of all values. */
  values(): Map<string, bigint> {
    return new Map(this.#values);
  }

  /** The values that `write` must store; they count as unwritten until `written` is called. */
  unwritten(): (readonly [string, bigint])[] {
    return [...this.#unwritten].sort().map((name) => [name, this.#values.get(name) ?? 0n] as const);
  }

  /** Everything that `unwritten` gave is durable. */
  written(): void {
    this.#unwritten = new Set();
  }
}
