/** Starts state threads for tests, and closes them. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { StateThreadDiedError } from "../../../src/state/errors.ts";
import type { StateChannel, StateLogRecord } from "../../../src/state/messages.ts";
import { connectState, type ResourceProxy } from "../../../src/state/state-client.ts";
import { StateThread } from "../../../src/state/state-thread.ts";
import type { Job } from "./fixtures/worker.ts";

export interface Rig extends AsyncDisposable {
  readonly thread: StateThread;
  readonly deaths: StateThreadDiedError[];
  readonly logs: StateLogRecord[];
  /** What the resources noted of their life: "first open", "first flush 20000" … */
  notes(): string[];
  /** A proxy of this thread's own, as a worker would have it. */
  proxy(resource: string): ResourceProxy;
  /** Starts fixtures/worker.ts and waits for its first message. */
  startWorker(job: Pick<Job, "kind" | "method" | "count">): Promise<Worker>;
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
}

export interface Notes extends Disposable {
  readonly file: string;
  read(): string[];
}

export function createNotes(): Notes {
  const folder = mkdtempSync(join(tmpdir(), "sluice-state-"));
  const file = join(folder, "notes");
  return {
    file,
    read: () => readFileSync(file, "utf8").split("\n").filter(Boolean),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function createRig(settings: Record<string, string> = {}): Promise<Rig> {
  const notes = createNotes();
  const deaths: StateThreadDiedError[] = [];
  const logs: StateLogRecord[] = [];
  const thread = await StateThread.start({
    modules: [fixture("counting.ts")],
    settings: { notes: notes.file, ...settings },
    onDeath: (error) => deaths.push(error),
    onLog: (record) => logs.push(record),
  });
  const connect = (): StateChannel => {
    const channel = thread.connect();
    if (channel === undefined) throw new Error("no process resources");
    return channel;
  };
  return {
    thread,
    deaths,
    logs,
    notes: notes.read,
    proxy: (resource) => {
      const proxy = connectState(connect(), thread.resources)["Counting"]?.[resource];
      if (proxy === undefined) throw new Error(`no resource ${resource}`);
      return proxy;
    },
    startWorker: async (job) => {
      const channel = connect();
      const workerData: Job = { channel, resources: thread.resources, ...job };
      const worker = new Worker(fixture("worker.ts"), { workerData, transferList: [channel.port] });
      await once(worker, "message");
      return worker;
    },
    [Symbol.asyncDispose]: async () => {
      if (thread.alive) await thread.close(2_000);
      notes[Symbol.dispose]();
    },
  };
}
