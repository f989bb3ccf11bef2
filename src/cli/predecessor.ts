/** The process that started this one to be replaced by it. */
import type { Predecessor } from "../server/succession.ts";

/** What the two processes say over their channel. */
export type WordsOfSuccession = "ready" | "waiting" | "let-go" | "released" | Failure;

/** Why the successor ends without having served: one line. */
export interface Failure {
  readonly failed: string;
}

const longestFailureLength = 500;

/**
 * Has the predecessor tell whoever asked for the takeover why it failed. Resolves once that is sent, or can't be; does
 * nothing in a process that replaces none.
 */
export function tellPredecessor(why: string): Promise<void> {
  const [line = ""] = why.split("\n");
  const failure: Failure = { failed: line.slice(0, longestFailureLength) };
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve();
    else process.send(failure satisfies WordsOfSuccession, undefined, undefined, () => resolve());
  });
}

/** Tells a successor what it is: the process id of its predecessor and the first descriptor that it was handed. */
export const predecessorVariable = "SLUICE_TAKEOVER_FROM";
/** The Thrift listener; the admin listener follows. */
export const firstDescriptor = 3;

/**
 * @returns undefined in a process that replaces none; takes the variable out of the environment, for it is not meant for
 *   what this process starts
 */
export function findPredecessor(): Predecessor | undefined {
  const told = process.env[predecessorVariable];
  delete process.env[predecessorVariable];
  // Inherited by accident, it would make descriptors listen that are none.
  if (told === undefined || process.channel === undefined) return undefined;
  const letGo = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const gone = (): void => {
    letGo.resolve();
    released.resolve();
  };
  process.on("message", (word: WordsOfSuccession) => {
    if (word === "let-go") letGo.resolve();
    if (word === "released") released.resolve();
  });
  process.once("disconnect", gone);
  if (!process.connected) gone();
  // It is not the channel that keeps a server alive.
  process.channel?.unref();
  return {
    listeners: { thrift: firstDescriptor, admin: firstDescriptor + 1 },
    askToLetGo(state) {
      if (process.connected)
        process.send?.(state satisfies WordsOfSuccession, undefined, undefined, () => {});
      return letGo.promise;
    },
    released: released.promise,
  };
}
