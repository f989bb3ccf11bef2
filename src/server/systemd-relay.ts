/** Sends messages to systemd's notify socket, through the command `systemd-notify`: Node.js has no datagram Unix sockets. */
import { spawn } from "node:child_process";

/** The way to systemd. */
export interface SystemdRelay {
  /** Sends one message of assignments. Never waits; messages arrive in order, one at a time. */
  send(assignments: readonly string[]): void;
  /** No message follows; those on their way still arrive, also when this process has ended. */
  end(): void;
}

/**
 * The relay is one shell that lives as long as the server. Starting a process from a large one stops its main thread for
 * some ms, and signs of life are frequent. It outlasts the signals that a control group gets, and ends with its input.
 */
const script = `trap '' TERM INT HUP QUIT
command -v systemd-notify >/dev/null || exit 127
set -f
tab=$(printf '\\t')
while IFS= read -r line; do
  IFS=$tab
  systemd-notify $line || failed=1
  IFS=
done
exit \${failed:-0}`;

/** What may wait for a relay that stands still, in bytes; later messages are dropped. */
const longestQueueBytes = 16_384;

/** @param onFailure told once, in words for people, when messages do not arrive */
export function openSystemdRelay(onFailure: (why: string) => void): SystemdRelay {
  const relay = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"] });
  let failed = false;
  const fail = (why: string): void => {
    if (!failed) onFailure(why);
    failed = true;
  };
  relay.on("error", ({ message }) => fail(message));
  relay.on("exit", (code) => {
    if (code === 127) fail("there is no command systemd-notify");
    else if (code !== 0) fail("systemd-notify failed");
  });
  relay.stdin.on("error", ({ message }) => fail(message));
  relay.unref();
  // A pipe of child_process is a socket, and keeps the process alive like one.
  (relay.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    send(assignments) {
      if (failed || relay.stdin.writableLength > longestQueueBytes) return;
      relay.stdin.write(`${assignments.map((text) => text.replaceAll(/[\t\n]/g, " ")).join("\t")}\n`);
    },
    end() {
      relay.stdin.end();
    },
  };
}
