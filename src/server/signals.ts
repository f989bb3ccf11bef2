/** Installs signal handlers and gives the ladder's answers to the server. */
import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { type SignalAction, SignalLadder, signalsToHandle } from "../lifecycle/signals.ts";

/** Within it npm has sent a signal on; nobody presses Ctrl-C twice so fast. */
const npmEchoMs = 100;

/** Handles signals until the returned function is called. */
export function handleSignals(config: Config, act: (action: SignalAction) => void): () => void {
  const ladder = new SignalLadder({
    platform: process.platform,
    maxSignals: config.maxSignals,
    hup: config.hup,
    controllingTerminal: false,
    echoMs: isChildOfNpm() ? npmEchoMs : 0,
  });
  const onSignal = (signal: NodeJS.Signals): void => act(ladder.next(signal, performance.now()));
  const signals = signalsToHandle(process.platform);
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/** Whether npm itself started the process: what npm's scripts start have its variables too, and signals of their own. */
function isChildOfNpm(): boolean {
  if (process.env["npm_lifecycle_event"] === undefined) return false;
  try {
    return /^npm\b|npm-cli\.js/.test(readFileSync(`/proc/${process.ppid}/cmdline`, "latin1"));
  } catch {
    // Not Linux: the variable is all there is.
    return true;
  }
}
