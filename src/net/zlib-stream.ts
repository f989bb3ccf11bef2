/**
 * A connection whose two directions are one zlib stream each (TZlibTransport), as the streams within them: what is
 * read is decompressed, what is written is compressed and flushed with each write.
 *
 * Back-pressure passes through in both directions, so what a few bytes decompress to is never held as a whole:
 * a piece of it is made when there is room for it.
 */
import { Duplex } from "node:stream";
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";

/** Hears of what only the outer stream shows. */
export interface ZlibStreamListener {
  /** So many compressed bytes came. */
  compressedRead(bytes: number): void;
  /** What comes is no zlib stream. What follows is handed on as it is, to be thrown away. */
  corrupted(error: Error): void;
}

type WriteDone = (error?: Error | null) => void;

export class ZlibStream extends Duplex {
  readonly #outer: Duplex;
  readonly #listener: ZlibStreamListener;
  readonly #inflate: Inflate;
  readonly #deflate: Deflate;
  /** What has come out of `#deflate` and is not written yet. */
  #deflated: Buffer[] = [];
  #corrupted = false;

  /** @param outer nobody else may listen to its data and its end any longer */
  constructor(outer: Duplex, listener: ZlibStreamListener) {
    super({ allowHalfOpen: true });
    this.#outer = outer;
    this.#listener = listener;
    // A peer need not finish its stream before it sends FIN.
    this.#inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    this.#deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH, level: constants.Z_BEST_SPEED });
    this.#inflate.on("data", (piece: Buffer) => this.push(piece) || this.#inflate.pause());
    this.#inflate.on("drain", () => outer.resume());
    this.#inflate.on("error", (error) => this.#inputFailed(error));
    // Its end is the zlib stream's, or follows from that of `outer`: either way nothing comes behind it.
    this.#inflate.on("end", () => this.push(null));
    this.#deflate.on("data", (piece: Buffer) => this.#deflated.push(piece));
    this.#deflate.on("error", (error) => this.destroy(error));
    outer.on("data", (chunk: Buffer) => this.receive(chunk));
    outer.on("end", () => (this.#corrupted ? this.push(null) : this.#inflate.end()));
    outer.on("error", (error) => this.destroy(error));
    outer.on("close", () => this.destroy());
  }

  /** Takes compressed bytes that were read before. */
  receive(chunk: Buffer): void {
    this.#listener.compressedRead(chunk.length);
    if (this.#corrupted) this.push(chunk);
    else if (!this.#inflate.write(chunk)) this.#outer.pause();
  }

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: WriteDone): void {
    // Empty writes only ask to be told when those before them are through.
    if (chunk.length === 0) {
      done();
      return;
    }
    this.#deflate.write(chunk, (error) => {
      const pieces = this.#deflated;
      this.#deflated = [];
      if (error !== undefined && error !== null) done(error);
      else this.#outer.write(Buffer.concat(pieces), done);
    });
  }

  override _final(done: WriteDone): void {
    this.#outer.end(done);
  }

  override _destroy(error: Error | null, done: WriteDone): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
    this.#outer.destroy();
    done(error);
  }

  #inputFailed(error: Error): void {
    if (this.#corrupted || this.destroyed) return;
    this.#corrupted = true;
    this.#outer.resume();
    this.#listener.corrupted(error);
  }
}
