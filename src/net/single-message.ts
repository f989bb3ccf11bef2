/** Messages of transports that bring one at a time: an HTTP body, a WebSocket message. */
import { detectCutter } from "../wire/detect.ts";
import { type Cutter, type MessageView, WireError, type WireLimits } from "../wire/message.ts";
import { ProtocolNumber } from "../wire/protocol-names.ts";
import { ReplyForm } from "../wire/reply-form.ts";

/** A whole message, and in which form its reply is to be written. */
export interface SingleMessage {
  readonly view: MessageView;
  readonly cutter: Cutter;
  readonly replyForm: number;
}

/**
 * Reads bytes that have to be one message.
 *
 * @throws {WireError} when they are not, or break a limit
 */
export function cutSingle(bytes: Buffer, limits: WireLimits): SingleMessage {
  const cutter = detectCutter(bytes, 0, bytes.length, limits);
  if (cutter === undefined) throw new WireError("bad-length", `${bytes.length} bytes are no whole message`);
  let view: MessageView | undefined;
  const take = (message: MessageView): boolean => {
    view = message;
    return false;
  };
  const end = cutter.cut(bytes, 0, bytes.length, { message: take });
  if (view === undefined) {
    throw new WireError("bad-length", `${bytes.length} bytes end inside of a ${cutter.kind} message`);
  }
  if (end < bytes.length) {
    throw new WireError("bad-length", `${bytes.length - end} bytes come behind the message; one at a time`);
  }
  const replyForm = ProtocolNumber[cutter.protocol] | (cutter.framed ? ReplyForm.FRAMED : 0);
  return { view, cutter, replyForm };
}
