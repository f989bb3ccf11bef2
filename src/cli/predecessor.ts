/** The process that started this one to be replaced by it. */
import type { Predecessor } from "../server/succession.ts";

/** What the two processes say over their channel. */
export type WordsOfSuccession = "ready" | "waiting" | "let-go" | "released";

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
