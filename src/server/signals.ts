/** Installs signal handlers and gives the ladder's answers to the server. */
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
    echoMs: process.env["npm_lifecycle_event"] === undefined ? 0 : npmEchoMs,
  });
  const onSignal = (signal: NodeJS.Signals): void => act(ladder.next(signal, performance.now()));
  const signals = signalsToHandle(process.platform);
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
