/** Cuts framed messages: four bytes of length, then the message. */

import type { HeaderReader } from "./header-reader.ts";
import {
  type Cutter,
  createMessageView,
  type MessageSink,
  type MessageView,
  WireError,
  type WireLimits,
} from "./message.ts";
import { checkCallType, headerReaders, type TypeCheck } from "./message-header.ts";
import type { ProtocolName } from "./protocol-names.ts";

export class FramedCutter implements Cutter {
  readonly framed = true;
  wholeBytes = 0;
  readonly protocol: ProtocolName;
  readonly kind: string;
  readonly #maxFrameSizeBytes: number;
  readonly #readHeader: HeaderReader;
  readonly #checkType: TypeCheck;
  readonly #view: MessageView = createMessageView();

  /** @param checkType `checkReplyType` where a client reads */
  constructor(protocol: ProtocolName, limits: WireLimits, checkType: TypeCheck = checkCallType) {
    this.protocol = protocol;
    this.kind = `framed-${protocol}`;
    this.#maxFrameSizeBytes = limits.maxFrameSizeBytes;
    this.#readHeader = headerReaders[protocol];
    this.#checkType = checkType;
  }

  cut(bytes: Buffer, start: number, end: number, sink: MessageSink): number {
    const view = this.#view;
    view.bytes = bytes;
    let at = start;
    let wanted = true;
    this.wholeBytes = 0;
    while (wanted && end - at >= 4) {
      const length = bytes.readInt32BE(at);
      checkFrameLength(length, this.#maxFrameSizeBytes);
      const messageEnd = at + 4 + length;
      if (messageEnd > end) {
        this.wholeBytes = 4 + length;
        break;
      }
      view.start = at + 4;
      view.end = messageEnd;
      if (!this.#readHeader(view, messageEnd)) {
        throw new WireError("bad-header", `a frame of ${length} bytes ends inside its message's header`);
      }
      this.#checkType(view);
      at = messageEnd;
      wanted = sink.message(view);
    }
    return at;
  }
}

/** Refuses a frame's length that can't be, or is above the limit. */
export function checkFrameLength(length: number, maxFrameSizeBytes: number): void {
  if (length <= 0) throw new WireError("bad-frame-length", `a frame of ${length} bytes`);
  if (length > maxFrameSizeBytes) {
    throw new WireError(
      "frame-too-large",
      `a frame of ${length} bytes; maxFrameSize is ${maxFrameSizeBytes}`,
    );
  }
}
