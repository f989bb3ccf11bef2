/** Puts headers that came beside a message (HTTP's, what TLS says of the peer) in front of it, so that they travel with it. */
import { readHeaderBlock, writeHeaderBlock } from "../wire/info-headers.ts";
import type { Envelope, MessageView } from "../wire/message.ts";

const nothing: Buffer = Buffer.alloc(0);

/** Headers that are put in front of messages; of a connection, always the same ones. */
export class MessageHeaders {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #block: Buffer;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = headers;
    this.#block = writeHeaderBlock(Object.entries(headers));
  }

  /**
   * A message with these headers, in bytes of its own. Headers that it has already stay, but for those that
   * are given too.
   *
   * @param replyForm in which form the reply is written when the message does not say so itself
   */
  before(view: MessageView, replyForm: number): MessageView {
    const { bytes, start, end, envelope } = view;
    const block = this.#blockWith(bytes.subarray(start - (envelope?.headerBytes ?? 0), start));
    const shift = block.length - start;
    return {
      ...view,
      bytes: Buffer.concat([block, bytes.subarray(start, end)]),
      start: start + shift,
      end: end + shift,
      bodyStart: view.bodyStart + shift,
      nameStart: view.nameStart + shift,
      nameEnd: view.nameEnd + shift,
      envelope: new HeadedEnvelope(envelope, block.length, replyForm),
    };
  }

  #blockWith(own: Buffer): Buffer {
    if (own.length === 0) return this.#block;
    return writeHeaderBlock(Object.entries({ ...readHeaderBlock(own), ...this.#headers }));
  }
}

/** An envelope whose headers are others. Around a message that had none it adds nothing to the reply. */
class HeadedEnvelope implements Envelope {
  readonly replyForm: number;
  readonly headerBytes: number;
  readonly timeoutMs: number;
  readonly unordered: boolean;
  readonly #inner: Envelope | null;

  constructor(inner: Envelope | null, headerBytes: number, replyForm: number) {
    this.#inner = inner;
    this.headerBytes = headerBytes;
    this.replyForm = inner?.replyForm ?? replyForm;
    this.timeoutMs = inner?.timeoutMs ?? 0;
    this.unordered = inner?.unordered ?? false;
  }

  prefix(sizeBytes: number, leaving: boolean, neverStarted: boolean): Uint8Array {
    return this.#inner?.prefix(sizeBytes, leaving, neverStarted) ?? nothing;
  }
}
