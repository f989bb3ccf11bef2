/** Waiting until what the kernel has received was read, as far as Node.js reads in one turn of its event loop. */

/** Calls `then` when the event loop has looked at its sockets once, whichever part of a turn this is. */
export function afterNextRead(then: () => void): void {
  // Immediates come right behind the sockets: the first may belong to a turn that has looked at them already.
  setImmediate(() => setImmediate(then));
}
