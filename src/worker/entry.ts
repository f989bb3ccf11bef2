/**
 * The worker thread's entry: a piscina task that lasts as long as its lane. It puts the worker's
 * parts together: the lane's loop, the runner, the services with their resources.
 */
import type { MessagePort } from "node:worker_threads";
import type { LaneStart } from "../pool/control-messages.ts";
import { registerSelfResolution } from "../service/self-resolution.ts";
import type { ResourceNames, StateChannel } from "../state/messages.ts";
import { LaneHost } from "./lane-host.ts";

/** What a lane's worker is given besides what every lane needs. */
export interface WorkerExtra {
  readonly recursionLimit: number;
  readonly maxContainerElements: number;
  readonly exposeErrors: boolean;
  /** Whether the worker has to say how much memory it takes. */
  readonly watchMemory: boolean;
  /** `grace − reserve`, in ms. */
  readonly longestProtectionMs: number;
}

/** What a worker is given once the process resources are open. */
export interface WorkerOpening {
  readonly stateChannel: StateChannel | undefined;
  readonly resources: ResourceNames;
}

/** The task that a lane is. */
export interface WorkerTask {
  readonly start: LaneStart;
  readonly port: MessagePort;
  readonly extra: WorkerExtra;
}

/** Runs a lane. The main thread ends the thread; this rejects when the lane could not be started. */
export default async function lane(task: WorkerTask): Promise<never> {
  registerSelfResolution();
  return new LaneHost(task).run();
}
