/** Tells a listener things in order, one after the other, whatever it calls back in the meantime. */

/**
 * A queue of calls that never nest. Without it a listener that answers `onPhase(draining)` with "all settled" would
 * hear of `flushing` before its own `onPhase(draining)` has returned.
 */
export class Telling {
  readonly #untold: (() => void)[] = [];
  #telling = false;

  /** Adds one call; `tellAll` makes it. */
  add(call: () => void): void {
    this.#untold.push(call);
  }

  /**
   * Makes all calls that wait. Does nothing when called from inside one of them: the outer turn goes on with what was
   * added. If a call throws, the error passes through and the rest waits for the next turn.
   */
  tellAll(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let call = this.#untold.shift(); call !== undefined; call = this.#untold.shift()) call();
    } finally {
      this.#telling = false;
    }
  }
}
