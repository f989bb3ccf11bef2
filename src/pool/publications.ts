/** What services published last: every worker is told, and so is every one that starts later. */
import type { MessagePort } from "node:worker_threads";
import { takeOut } from "./carried-value.ts";
import type { FromWorker, LaneStart } from "./control-messages.ts";
import type { LaneWorker } from "./lane-worker.ts";

/** The last value of one service. Nobody looks at it before a worker is replaced. */
type Publication = { readonly version: number } & (
  | { readonly kind: "carried"; readonly copy: MessagePort }
  | { readonly kind: "known"; readonly value: unknown }
);

export class Publications {
  readonly #last = new Map<number, Publication>();
  #version = 0;

  /** The version of the last value: calls that are handed over now must see it. */
  get version(): number {
    return this.#version;
  }

  /** Gives every worker its copy of a value, and the worker that published it the word that all have it before later calls. */
  publish(
    from: LaneWorker,
    { id, service, copies }: Extract<FromWorker, { kind: "publish" }>,
    workers: readonly LaneWorker[],
  ): void {
    const version = ++this.#version;
    const [spare, ...others] = copies;
    this.#forget(service);
    this.#last.set(service, { version, kind: "carried", copy: spare! });
    for (const [at, worker] of workers.entries()) {
      const copy = others[at]!;
      if (worker.state === "dead") copy.close();
      else worker.lane.post({ kind: "published", version, service, copy }, [copy]);
    }
    from.lane.post({ kind: "publishDone", id });
  }

  /** The last value of each service, for a worker that starts. */
  lastValues(): LaneStart["published"] {
    for (const [service, publication] of this.#last) {
      if (publication.kind === "known") continue;
      const { version, copy } = publication;
      this.#last.set(service, { version, kind: "known", value: takeOut(copy) });
    }
    return [...this.#last].map(([service, publication]) => ({
      service,
      version: publication.version,
      value: publication.kind === "known" ? publication.value : undefined,
    }));
  }

  /** Lets go of what nobody will ask for any more. */
  close(): void {
    for (const service of this.#last.keys()) this.#forget(service);
    this.#last.clear();
  }

  #forget(service: number): void {
    const before = this.#last.get(service);
    if (before?.kind === "carried") before.copy.close();
  }
}
