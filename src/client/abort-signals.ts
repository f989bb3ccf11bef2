/**
 * Calls by the AbortSignals that give them up. A signal has one listener, however many calls are in flight with it: an
 * EventTarget walks through all of its listeners whenever one is added or removed.
 */
interface Entry {
  readonly abort: () => void;
  at: number;
}

interface Watched {
  readonly entries: Entry[];
  readonly listener: () => void;
}

const signals = new WeakMap<AbortSignal, Watched>();

/** Calls `abort` when the signal aborts. Returns what takes it off again. */
export function onAbort(signal: AbortSignal, abort: () => void): () => void {
  const { entries } = signals.get(signal) ?? watch(signal);
  const entry = { abort, at: entries.length };
  entries.push(entry);
  return () => remove(signal, entry);
}

function watch(signal: AbortSignal): Watched {
  const entries: Entry[] = [];
  const listener = (): void => {
    for (const { abort } of [...entries]) abort();
  };
  signal.addEventListener("abort", listener, { once: true });
  const watched = { entries, listener };
  signals.set(signal, watched);
  return watched;
}

/** The last entry takes the place of the one that goes. */
function remove(signal: AbortSignal, entry: Entry): void {
  const watched = signals.get(signal);
  if (watched === undefined || watched.entries[entry.at] !== entry) return;
  const { entries, listener } = watched;
  const last = entries.pop()!;
  if (last !== entry) {
    entries[entry.at] = last;
    last.at = entry.at;
  }
  if (entries.length > 0) return;
  signals.delete(signal);
  signal.removeEventListener("abort", listener);
}
