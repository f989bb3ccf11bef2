/** Listening sockets that another process opened and passed on: systemd's socket activation. */

/** The descriptors; undefined for a listener that this process has to open itself. */
export interface InheritedListeners {
  readonly thrift: number | undefined;
  readonly admin: number | undefined;
}

/** What was passed on can't be used. The message says why and what to do. */
export class InheritedListenersError extends Error {
  override readonly name = "InheritedListenersError";
  readonly code = "SLUICE_INHERITED_LISTENERS";
}

const firstDescriptor = 3;

/**
 * Reads `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` (sd_listen_fds(3)). The socket named `admin` is for the admin
 * port, the other one for Thrift clients.
 *
 * @throws {InheritedListenersError} when there are more than these: nobody would accept what connects to the others
 */
export function inheritedListeners(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): InheritedListeners {
  const count = Number(env["LISTEN_FDS"]);
  if (!(count >= 1) || Number(env["LISTEN_PID"]) !== pid) return { thrift: undefined, admin: undefined };
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  const admin: number[] = [];
  const thrift: number[] = [];
  for (let at = 0; at < count; at++) (names[at] === "admin" ? admin : thrift).push(firstDescriptor + at);
  if (thrift.length > 1 || admin.length > 1) {
    throw new InheritedListenersError(
      `${count} listening sockets were passed on; Sluice takes one for Thrift clients and one with FileDescriptorName=admin`,
    );
  }
  return { thrift: thrift[0], admin: admin[0] };
}
