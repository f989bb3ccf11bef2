/** The ways to write to a descriptor without waiting for a reader, by its kind. */
import { fstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isatty, WriteStream } from "node:tty";

/** Takes one batch at a time. */
export interface Sink {
  /** `done` is called when the kernel has all of it, or with the error after which nothing can be written. */
  write(batch: string, done: (error?: Error) => void): void;
}

/** Makes the sink of a descriptor. */
export function openSink(fd: number): Sink {
  if (isatty(fd)) {
    return terminalSink(fd);
  }
  const kind = fstatSync(fd, { throwIfNoEntry: false });
  if (kind !== undefined && (kind.isFIFO() || kind.isSocket())) {
    try {
      return socketSink(new Socket({ fd, readable: false, writable: true }));
    } catch {
      // A kind of socket that Node does not stream to, such as a datagram socket.
    }
  }
  return fileSink(fd);
}

/** A pipe or a socket: a stream that buffers what the kernel does not take. */
function socketSink(stream: Socket): Sink {
  let failure: Error | undefined;
  let pending: ((error?: Error) => void) | undefined;
  function settle(error?: Error | null): void {
    const done = pending;
    pending = undefined;
    done?.(error ?? failure);
  }
  stream.on("error", (error) => {
    // EPIPE: the reader is gone. That ends the log, not the server.
    failure = error;
    settle();
  });
  stream.on("close", () => {
    failure ??= new Error("the log's descriptor was closed");
    settle();
  });
  return {
    write(batch, done) {
      pending = done;
      if (failure !== undefined) {
        settle();
      } else {
        stream.write(batch, settle);
      }
    },
  };
}

/** A terminal. Node makes its writes blocking, which Ctrl-S would turn into a standstill. */
function terminalSink(fd: number): Sink {
  const stream = new WriteStream(fd) as WriteStream & {
    readonly _handle?: { setBlocking?(blocking: boolean): unknown };
  };
  // There is no public way; without it all works, but for Ctrl-S.
  stream._handle?.setBlocking?.(false);
  return socketSink(stream);
}

/**
 * A file or a device. It has no reader to wait for, so the write is synchronous: an asynchronous one would queue
 * behind handlers that fill Node's shared thread pool, and the last line of all could be lost.
 */
function fileSink(fd: number): Sink {
  return {
    write(batch, done) {
      let failure: Error | undefined;
      try {
        const bytes = Buffer.from(batch);
        for (let written = 0; written < bytes.length; ) {
          written += writeSync(fd, bytes, written);
        }
      } catch (error) {
        // A full disk passes: the batch is lost, later ones may do. A closed descriptor does not come back.
        failure = (error as NodeJS.ErrnoException).code === "EBADF" ? (error as Error) : undefined;
      }
      done(failure);
    },
  };
}
