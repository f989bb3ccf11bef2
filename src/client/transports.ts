/** What the transports of a socket put around calls, and how replies are cut out of what came. */
import { FramedCutter } from "../wire/framed-cutter.ts";
import { writeHeaderBlock } from "../wire/info-headers.ts";
import type { Cutter } from "../wire/message.ts";
import { checkReplyType } from "../wire/message-header.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
import { TheaderCutter } from "../wire/theader-cutter.ts";
import { outOfOrderFlag, theaderPrefix } from "../wire/theader-envelope.ts";
import { UnframedCutter } from "../wire/unframed-cutter.ts";
import type { ClientCall } from "./call.ts";
import type { LinkSettings } from "./link.ts";

/** The header that goes before a call over THeader: with the time that is left of it, and its info headers. */
export function theaderOf(call: ClientCall, protocol: ProtocolName, nowMs: number): Buffer {
  const leftMs = Math.max(1, Math.ceil(call.deadlineMs - nowMs));
  return theaderPrefix({
    protocol,
    compressed: false,
    flags: outOfOrderFlag,
    seqid: call.seqid,
    info: call.headers === undefined ? timeoutBlock(leftMs) : infoBlock(leftMs, call.headers),
    sizeBytes: call.bytes.length,
  });
}

let lastLeftMs = 0;
let lastBlock: Buffer = Buffer.alloc(0);

/** The header block of a call without headers of its own: those of one turn mostly have the same time left. */
function timeoutBlock(leftMs: number): Buffer {
  if (leftMs !== lastLeftMs) {
    lastBlock = infoBlock(leftMs, {});
    lastLeftMs = leftMs;
  }
  return lastBlock;
}

function infoBlock(leftMs: number, headers: Readonly<Record<string, string>>): Buffer {
  return writeHeaderBlock(Object.entries({ ...headers, client_timeout: String(leftMs) }));
}

/** A cutter for what servers send. */
export function createReplyCutter({ transport, protocol, limits }: LinkSettings): Cutter {
  if (transport === "header") return new TheaderCutter(limits, checkReplyType);
  return transport === "unframed"
    ? new UnframedCutter(protocol, limits, checkReplyType)
    : new FramedCutter(protocol, limits, checkReplyType);
}
