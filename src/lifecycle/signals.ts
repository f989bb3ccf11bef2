/** Which signal does what: the ladder from the first one, which drains, to the last, which exits at once. */

/** Signals that can end a server, with their numbers for exit code 128 + n. SIGBREAK is Windows' own. */
export const SIGNAL_NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTERM: 15,
  SIGBREAK: 21,
} as const;

export type SignalName = keyof typeof SIGNAL_NUMBERS;

/** What SIGHUP does. `auto`: drain with a controlling terminal (it was closed), else reload. */
export type HupMode = "auto" | "reload" | "drain" | "ignore";

export interface SignalLadderOptions {
  /** `process.platform`; only `win32` differs from the others. */
  readonly platform: string;
  /** The signal that exits at once, counted from 1. Default 3. */
  readonly maxSignals?: number;
  /** Default `auto`. Has no say on Windows, where SIGHUP means that the console closes. */
  readonly hup?: HupMode;
  /**
   * A SIGINT within so many ms of another is the same one, sent twice: Ctrl-C goes to npm and to what it has started,
   * and npm sends on what it gets. Default 0: there is no npm in between.
   */
  readonly echoMs?: number;
  /** Whether the process has a controlling terminal. */
  readonly controllingTerminal: boolean;
}

/** What a signal asks for. */
export type SignalAction =
  | { readonly kind: "drain"; readonly signal: SignalName }
  /** Skip lame-duck, end `callGrace` at once. */
  | { readonly kind: "hasten"; readonly signal: SignalName }
  /** Exit now with 128 + n. */
  | { readonly kind: "force"; readonly signal: SignalName }
  | { readonly kind: "reload" }
  | { readonly kind: "ignore"; readonly why: string };

/**
 * The signals to install handlers for. On POSIX SIGHUP is always among them, also when it is ignored, because its
 * default would end the process. SIGUSR1 is never: it belongs to Node's inspector.
 */
export function signalsToHandle(platform: string): readonly SignalName[] {
  return platform === "win32"
    ? ["SIGINT", "SIGBREAK", "SIGHUP", "SIGTERM"]
    : ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"];
}

/** The number of a signal, for exit code 128 + n. */
export function signalNumber(signal: SignalName): number {
  return SIGNAL_NUMBERS[signal];
}

/**
 * Counts the signals that ask to stop and says what each one does. Drains that were asked for otherwise (API, POST)
 * don't count, so the first signal after one joins that stop and the second hastens it.
 */
export class SignalLadder {
  readonly #handled: readonly string[];
  readonly #maxSignals: number;
  readonly #hup: "reload" | "drain" | "ignore";
  readonly #echoMs: number;
  #count = 0;
  #interruptedAtMs = -Infinity;

  constructor(options: SignalLadderOptions) {
    this.#handled = signalsToHandle(options.platform);
    this.#maxSignals = options.maxSignals ?? 3;
    this.#hup = resolveHup(options);
    this.#echoMs = options.echoMs ?? 0;
  }

  /** How many signals have asked to stop so far. Reloads and ignored ones don't count. */
  get count(): number {
    return this.#count;
  }

  /** What this signal does; counts it if it asks to stop. Any name may be given. @param nowMs on any steady clock */
  next(signal: string, nowMs = 0): SignalAction {
    if (!this.#handles(signal)) return { kind: "ignore", why: `${signal} is not handled by the server` };
    if (signal === "SIGHUP" && this.#hup === "reload") return { kind: "reload" };
    if (signal === "SIGHUP" && this.#hup === "ignore") return { kind: "ignore", why: "hup is set to ignore" };
    if (signal === "SIGINT") {
      const sinceMs = nowMs - this.#interruptedAtMs;
      if (sinceMs < this.#echoMs) return { kind: "ignore", why: "npm sends on what the terminal has sent" };
      this.#interruptedAtMs = nowMs;
    }
    this.#count += 1;
    if (this.#count >= this.#maxSignals) return { kind: "force", signal };
    return { kind: this.#count === 1 ? "drain" : "hasten", signal };
  }

  #handles(signal: string): signal is SignalName {
    return this.#handled.includes(signal);
  }
}

function resolveHup(options: SignalLadderOptions): "reload" | "drain" | "ignore" {
  // Windows ends the process seconds after a console-close whatever it does: draining is the only use of them.
  if (options.platform === "win32") return "drain";
  const hup = options.hup ?? "auto";
  if (hup !== "auto") return hup;
  return options.controllingTerminal ? "drain" : "reload";
}
