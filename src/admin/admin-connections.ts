/** The admin port's connections: bounded in number, and never in the way of a stop. */
import type { Socket } from "node:net";

/** Keeps track of the connections of one port. */
export class AdminConnections {
  /** In order of arrival; true while a whole request is being answered. */
  readonly #busy = new Map<Socket, boolean>();
  readonly #max: number;
  #closing = false;

  /** @param max how many may be open; a new one beyond it takes the place of the oldest that has nothing to answer */
  constructor(max: number) {
    this.#max = max;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /**
   * Takes in a connection. Because idle ones give way, whoever opens many and says nothing can't keep
   * health checks out.
   */
  add(socket: Socket): void {
    this.#busy.set(socket, false);
    socket.once("close", () => this.#busy.delete(socket));
    if (this.#busy.size <= this.#max) return;
    const idle = [...this.#busy].find(([, busy]) => !busy);
    this.#drop((idle?.[0] ?? socket) as Socket);
  }

  /** A whole request has come on it. */
  begin(socket: Socket): void {
    if (this.#busy.has(socket)) this.#busy.set(socket, true);
  }

  /** Its answer was handed to the kernel, or can't be any more. */
  done(socket: Socket): void {
    if (!this.#busy.has(socket)) return;
    this.#busy.set(socket, false);
    if (this.#closing) socket.destroySoon();
  }

  /** From now on each connection ends with its next answer. */
  windDown(): void {
    this.#closing = true;
  }

  /** From now on only answers that are owed leave; connections without one are dropped. */
  beginClosing(): void {
    this.#closing = true;
    for (const [socket, busy] of this.#busy) if (!busy) this.#drop(socket);
  }

  dropAll(): void {
    for (const socket of this.#busy.keys()) this.#drop(socket);
  }

  #drop(socket: Socket): void {
    this.#busy.delete(socket);
    socket.destroy();
  }
}
