/**
 * The methods that a server knows, found by the bytes of a message's name without making a string
 * of them. Built once, from what the first ready worker says that its service modules offer.
 */

/** A method as a worker describes it. */
export interface MethodDescription {
  readonly service: string;
  readonly name: string;
  /** From the generated client, which has no `recv_…` for it; never from the message type. */
  readonly oneway: boolean;
  /** From arrival to answer, in ms; 0 means no limit. */
  readonly timeoutMs: number;
  readonly idempotent: boolean;
}

/** A method with its place in the table, which is the same in every thread. */
export interface Method extends MethodDescription {
  readonly index: number;
  /** Where it runs: in a worker, or on the main thread (fb303). */
  readonly runs: "worker" | "main";
}

/** Why a name leads to no method. */
export type UnknownName = { readonly unknown: "service" | "method"; readonly name: string };

interface Entry {
  readonly bytes: Uint8Array;
  readonly method: Method;
}

const separator = ":";

/** Looks methods up by the name bytes of a message. */
export class MethodTable {
  readonly methods: readonly Method[];
  readonly #byHash = new Map<number, Entry[]>();
  readonly #services = new Set<string>();
  readonly #main: string;

  /**
   * @param methods every method, each at the position of its `index`
   * @param plainService the service whose methods also answer clients that are not multiplexed
   * @param fallbackService the service that answers plain names which `plainService` lacks (fb303)
   */
  constructor(methods: readonly Method[], plainService: string, fallbackService: string) {
    this.methods = methods;
    this.#main = plainService;
    for (const method of methods) {
      this.#services.add(method.service);
      this.#add(`${method.service}${separator}${method.name}`, method);
    }
    for (const method of methods) if (method.service === plainService) this.#add(method.name, method);
    for (const method of methods) if (method.service === fallbackService) this.#add(method.name, method);
  }

  /** The method that the bytes name, or undefined. The first one added under a name wins. */
  find(bytes: Uint8Array, start: number, end: number): Method | undefined {
    const bucket = this.#byHash.get(hashOf(bytes, start, end));
    if (bucket === undefined) return undefined;
    for (const entry of bucket) if (equal(entry.bytes, bytes, start, end)) return entry.method;
    return undefined;
  }

  /** Says what is unknown about a name that `find` did not find, and the method part of it. */
  explain(name: string): UnknownName {
    const at = name.indexOf(separator);
    if (at < 0) return { unknown: "method", name };
    return {
      unknown: this.#services.has(name.slice(0, at)) ? "method" : "service",
      name: name.slice(at + 1),
    };
  }

  /** The service that answers clients that are not multiplexed. */
  get plainService(): string {
    return this.#main;
  }

  #add(name: string, method: Method): void {
    const bytes = Buffer.from(name, "utf8");
    if (this.find(bytes, 0, bytes.length) !== undefined) return;
    const hash = hashOf(bytes, 0, bytes.length);
    const bucket = this.#byHash.get(hash);
    if (bucket === undefined) this.#byHash.set(hash, [{ bytes, method }]);
    else bucket.push({ bytes, method });
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}
