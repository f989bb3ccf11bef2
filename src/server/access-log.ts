/** The access log: a line for every outcome. It is a listener of the call ledger, and not there when it is off. */
import type { Call } from "../calls/call.ts";
import type { Outcome } from "../calls/outcome.ts";
import type { Log } from "../log/log.ts";

/** Writes the lines. They are dropped, and counted, when the log's reader is slower than the calls. */
export function createAccessLog(log: Log): (call: Call, outcome: Outcome, nowMs: number) => void {
  return ({ method, seqid, serial, caller, lane, receivedAtMs }, outcome, nowMs) =>
    log.info("call", {
      // What a stranger calls a method is not repeated.
      method: method!.index < 0 ? "unknown" : `${method!.service}.${method!.name}`,
      outcome,
      ms: Math.round(1000 * (nowMs - receivedAtMs)) / 1000,
      call: serial,
      seqid,
      peer: caller!.peer,
      ...(lane < 0 ? {} : { worker: lane }),
    });
}
