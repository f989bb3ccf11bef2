/** The file of a Unix domain socket: one that a dead server left behind is removed, a living one's never. */
import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";

/** How long a server that listens may take to accept, in ms; the kernel does it for a living one at once. */
const longestConnectMs = 1000;

/**
 * Removes the socket file at `path` if nobody listens on it.
 *
 * @returns what is there instead when it may not be removed; undefined when the path is free now
 */
export async function removeStaleSocket(path: string): Promise<"not-a-socket" | "alive" | undefined> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSocket()) return "not-a-socket";
  if (await isListenedOn(path)) return "alive";
  unlinkSync(path);
  return undefined;
}

/** Only a clear refusal means that nobody is there: whatever else happens, somebody may be. */
function isListenedOn(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  const timeout = setTimeout(() => resolve(true), longestConnectMs);
  socket.once("connect", () => resolve(true));
  socket.once("error", ({ code }: NodeJS.ErrnoException) =>
    resolve(code !== "ECONNREFUSED" && code !== "ENOENT"),
  );
  return promise.finally(() => {
    clearTimeout(timeout);
    socket.destroy();
  });
}
