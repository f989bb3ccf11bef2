/** Starts this command once more with the listeners, and hears how far it comes. */
import { spawn } from "node:child_process";
import type { Server } from "node:net";
import { TakeoverRefusedError } from "../lifecycle/errors.ts";
import type { Successor, SuccessorState } from "../server/succession.ts";
import { firstDescriptor, predecessorVariable, type WordsOfSuccession } from "./predecessor.ts";

/**
 * Starts the same command line in the same environment; the listeners are its descriptors 3 and 4.
 *
 * @throws {TakeoverRefusedError} as process 1, and where descriptors can't be handed over
 */
export function startSuccessor(listeners: Readonly<Record<"thrift" | "admin", Server>>): Successor {
  if (process.pid === 1) {
    throw new TakeoverRefusedError(
      "this is process 1 of a container, which ends with it: start a new container behind a load balancer instead",
    );
  }
  if (process.platform === "win32") throw new TakeoverRefusedError("Windows can't hand a listener over");
  const {
    LISTEN_FDS: _fds,
    LISTEN_PID: _pid,
    LISTEN_FDNAMES: _names,
    WATCHDOG_PID: _watchdog,
    ...env
  } = process.env;
  const handed = [descriptorOf(listeners.thrift), descriptorOf(listeners.admin)];
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit", ...handed, "ipc"],
    env: { ...env, [predecessorVariable]: `${process.pid}:${firstDescriptor}` },
  });
  const able = Promise.withResolvers<SuccessorState>();
  let reason: string | undefined;
  child.on("message", (word: WordsOfSuccession) => {
    if (word === "ready" || word === "waiting") able.resolve(word);
    else if (typeof word === "object") reason = word.failed;
  });
  child.on("error", ({ message }) => able.reject(new Error(`the successor can't be started: ${message}`)));
  const ended = new Promise<string>((resolve) => {
    // Not "exit", which may come before its last word.
    child.on("close", (code, signal) => {
      const how = `it ended with ${signal ?? `code ${code}`}${reason === undefined ? "; its own lines say why" : `: ${reason}`}`;
      able.reject(new Error(`the successor never could serve: ${how}`));
      resolve(how);
    });
  });
  const tell = (word: WordsOfSuccession): void => {
    // One that has died is its supervisor's matter.
    if (child.connected) child.send(word, () => {});
  };
  return {
    pid: child.pid ?? 0,
    able: able.promise,
    ended,
    letGo: () => tell("let-go"),
    release: () => tell("released"),
    cancel: () => void child.kill("SIGTERM"),
  };
}

/**
 * A listener's descriptor. Node.js shows it nowhere else; `child.send(…, server)` would make the successor accept before
 * it can serve.
 */
function descriptorOf(server: Server): number {
  const fd = (server as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0)
    throw new TakeoverRefusedError("this Node.js does not tell a listener's descriptor");
  return fd;
}
