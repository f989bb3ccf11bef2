/** The start: everything that has to be there before a client may connect. */
import { StateThread } from "../state/state-thread.ts";
import type { WorkerOpening } from "../worker/entry.ts";
import { createMethodTable } from "./methods.ts";
import type { Parts } from "./parts.ts";

/** Starts the state thread and the workers side by side; resolves when every handler is made. */
export async function startWorkers(
  parts: Parts,
  modules: readonly string[],
  onStateDeath: (error: Error) => void,
): Promise<void> {
  const { pool, desk, local, log, config } = parts;
  const stateStart = StateThread.start({
    modules,
    settings: config.settings,
    onDeath: onStateDeath,
    onLog: ({ level, message, fields }) => log[level](message, fields),
    signal: parts.stateStart.signal,
  }).then((state) => {
    parts.state = state;
    return state;
  });
  const [state, services] = await Promise.all([stateStart, pool.loaded()]);
  desk.open(createMethodTable(services, { name: "fb303", methods: local.methods }), pool);
  await pool.begin(() => {
    const stateChannel = state.connect();
    const value: WorkerOpening = { stateChannel, resources: state.resources };
    return { value, transfer: stateChannel === undefined ? [] : [stateChannel.port] };
  });
}
