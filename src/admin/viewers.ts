/**
 * Those who look at `/events`. One snapshot is made and written as text per tick, however many they are; none when
 * there is nobody. Nothing waits for them: whoever has not read the last event gets no further one until then.
 */
import type { ServerResponse } from "node:http";
import { type EventLoopUtilization, performance } from "node:perf_hooks";
import type { AdminSource } from "./source.ts";
import { type Controls, eventOf } from "./status.ts";

export interface ViewersOptions {
  /** Between two events. */
  readonly intervalMs: number;
  /** More viewers are turned away. */
  readonly max: number;
  readonly controls: Controls;
}

/** After so many events in a row that a viewer had no room for, its connection is closed. */
const mostSkipped = 30;

export class Viewers {
  readonly #source: AdminSource;
  readonly #options: ViewersOptions;
  /** With each, how many events in a row it has missed. */
  readonly #skipped = new Map<ServerResponse, number>();
  #timer: NodeJS.Timeout | undefined;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();
  #last: { readonly atMs: number; readonly bytes: Buffer } | undefined;
  #closed = false;

  constructor(source: AdminSource, options: ViewersOptions) {
    this.#source = source;
    this.#options = options;
  }

  get full(): boolean {
    return this.#closed || this.#skipped.size >= this.#options.max;
  }

  /** Takes in a viewer whose response has its head; it gets its first event at once. */
  add(response: ServerResponse): void {
    this.#skipped.set(response, 0);
    response.once("close", () => this.#remove(response));
    response.on("error", () => this.#remove(response));
    // A browser that lost the connection comes back after this time.
    response.write("retry: 1000\n\n");
    const freshMs = this.#options.intervalMs / 2;
    if (this.#last === undefined || performance.now() - this.#last.atMs > freshMs)
      this.#last = this.#make("");
    response.write(this.#last.bytes);
    this.#timer ??= setInterval(() => this.tick(), this.#options.intervalMs).unref();
  }

  /** Sends an event to all who have room. */
  tick(): void {
    if (this.#skipped.size === 0 || this.#closed) return;
    this.#last = this.#make("");
    for (const [response, skipped] of this.#skipped) {
      if (response.writableLength === 0) {
        this.#skipped.set(response, 0);
        response.write(this.#last.bytes);
      } else if (skipped < mostSkipped) this.#skipped.set(response, skipped + 1);
      else response.destroy();
    }
  }

  /** Sends the last event, which has the report when there is one, and ends all streams. */
  close(): void {
    if (this.#closed) return;
    clearInterval(this.#timer);
    const last = this.#skipped.size === 0 ? undefined : this.#make("event: last\n");
    this.#closed = true;
    for (const response of this.#skipped.keys()) response.end(last?.bytes);
  }

  #remove(response: ServerResponse): void {
    this.#skipped.delete(response);
    if (this.#skipped.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
  }

  #make(head: string): { atMs: number; bytes: Buffer } {
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop);
    this.#loop = loop;
    const text = JSON.stringify(eventOf(this.#source, utilization, this.#options.controls));
    return { atMs: performance.now(), bytes: Buffer.from(`${head}data: ${text}\n\n`) };
  }
}
