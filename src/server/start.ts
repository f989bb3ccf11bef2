/** The start: everything that has to be there before a client may connect. */

import type { LaneState } from "../pool/lane-worker.ts";
import { StateStartError } from "../state/errors.ts";
import { StateThread } from "../state/state-thread.ts";
import type { WorkerOpening } from "../worker/entry.ts";
import { createMethodTable } from "./methods.ts";
import type { Parts } from "./parts.ts";
import { isHeldElsewhere } from "./succession.ts";

/** How often, and after which pause in ms, a resource is tried again that its holder has let go of. */
const heldTries = { count: 40, pauseMs: 50 };

export interface WorkersStart {
  readonly modules: readonly string[];
  readonly onStateDeath: (error: Error) => void;
  /**
   * Called when all is loaded and a process resource is held by the process that this one replaces. Resolves when that
   * one has let go of it. Undefined when this process replaces none.
   */
  readonly untilLetGo: (() => Promise<void>) | undefined;
}

/** Starts the state thread and the workers side by side; resolves when every handler is made. */
export async function startWorkers(parts: Parts, start: WorkersStart): Promise<void> {
  const { pool, desk, local } = parts;
  const starting = startState(parts, start).catch((error: unknown) => orWorkersError(parts, error));
  const [state, services] = await Promise.all([starting, pool.loaded()]);
  desk.open(createMethodTable(services, { name: "fb303", methods: local.methods }), pool);
  await pool.begin(() => {
    const stateChannel = state.connect();
    const value: WorkerOpening = { stateChannel, resources: state.resources };
    return { value, transfer: stateChannel === undefined ? [] : [stateChannel.port] };
  });
}

/** A module that does not load fails in every thread. It is told in one way, whichever is the first. */
async function orWorkersError({ pool }: Parts, error: unknown): Promise<never> {
  const cause = error instanceof StateStartError ? error.cause : undefined;
  if ((cause as { readonly code?: unknown } | undefined)?.code === "SLUICE_SERVICE_LOAD") await pool.loaded();
  throw error;
}

/** What a start has not come to yet. @returns for people, to be read behind "waiting for" */
export function startWaitsFor({ pool, state }: Parts, modules: readonly string[]): string {
  const inState = (wanted: LaneState): string => {
    const numbers = pool.workers.filter((worker) => worker.state === wanted).map(({ index }) => index);
    return numbers.length === 0 ? "" : `worker ${numbers.join(", ")}`;
  };
  const [loading, making] = [inState("starting"), inState("loaded")];
  const named = modules.join(" and ");
  const waits = [
    ...(loading === "" ? [] : [`${loading} to load ${named}`]),
    ...(state === undefined ? [`the process resources of ${named} to open`] : []),
  ];
  // Handlers are made when all else is there.
  if (waits.length === 0 && making !== "") waits.push(`${making} to make the handlers of ${named}`);
  return waits.length === 0 ? "the listener" : waits.join(", and for ");
}

async function startState(
  parts: Parts,
  { modules, onStateDeath, untilLetGo }: WorkersStart,
): Promise<StateThread> {
  const { config, log, pool, stateStart } = parts;
  const open = (): Promise<StateThread> =>
    StateThread.start({
      modules,
      settings: config.settings,
      onDeath: onStateDeath,
      onLog: ({ level, message, fields }) => log[level](message, fields),
      signal: stateStart.signal,
    }).then((state) => {
      parts.state = state;
      return state;
    });
  try {
    return await open();
  } catch (error) {
    if (untilLetGo === undefined || !isHeldElsewhere(error)) throw error;
  }
  // The predecessor stops only for a successor that lacks nothing else.
  await pool.loaded();
  await untilLetGo();
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (tries >= heldTries.count || stateStart.signal.aborted || !isHeldElsewhere(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, heldTries.pauseMs));
  }
}
