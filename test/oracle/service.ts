/**
 * A service whose calls say themselves what they do: the text of a call is an id and steps, for example
 * `"17 sleep 20 spin 5"`. What is synchronous runs synchronously, so a call may be a plain handler or an `async` one.
 * Each execution is journaled at its start, to the file that `ORACLE_JOURNAL` names: `start ID WORKER MS`; and
 * `leave ID WORKER MS` when it lets others run, at its first await or its end.
 *
 * `echo` answers, `fail` does the same with a deadline of 300 ms, `note` is the oneway form.
 */
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentCall, defineService, type HandlerOf, type ServiceDefinition } from "thrift-sluice";
import Probe from "../gen/Probe.js";

const scripted: ServiceDefinition<typeof Probe> = defineService({
  name: "Probe",
  service: Probe,
  handler: ({ worker }) => {
    const run = (text: string): Answer => {
      const [id = "", ...words] = text.split(" ");
      journal(`start ${id} ${worker} ${now()}`);
      try {
        return perform({ id, words, at: 0, section: undefined, told: "" });
      } finally {
        journal(`leave ${id} ${worker} ${now()}`);
      }
    };
    const handler: Partial<HandlerOf<typeof Probe.Client>> = {
      echo: run,
      fail: run,
      note: (text) => {
        const answer = run(text);
        if (typeof answer !== "string") return answer.then(() => {});
      },
      blob: (data) => data,
    };
    // Every method of the IDL has to be there. A `then` would make a promise of it.
    const get = (own: typeof handler, name: string): unknown =>
      name === "then" ? undefined : (own[name as keyof typeof own] ?? absent);
    return new Proxy(handler, { get: get as never }) as HandlerOf<typeof Probe.Client>;
  },
  methods: { fail: { timeoutMs: 300 } },
  reload: () => journal("reload"),
  close: () => journal("close"),
});

export default scripted;

type Answer = string | Promise<string>;

/** A call's script and how far it has come. */
interface Script {
  readonly id: string;
  readonly words: readonly string[];
  at: number;
  section: ReturnType<ReturnType<typeof currentCall>["protect"]> | undefined;
  /** What the answer says besides the id. */
  told: string;
}

/** A step: returns a promise when the script goes on later. */
type Step = (script: Script, next: () => number) => void | Promise<unknown>;

const steps: Readonly<Record<string, Step>> = {
  sleep: (_, next) => sleep(next()),
  /** Loops without yielding; below 0 for ever. */
  spin: (_, next) => {
    spin(next(), () => false);
  },
  /** Awaits that many microtasks. */
  tick: (_, next) => tick(next()),
  /** Loops until `stopping` is seen. */
  spinUntilStopping: (script, next) => {
    const call = currentCall();
    const sawIt = spin(next(), () => call.stopping);
    script.told += sawIt ? " stopping" : " not-stopping";
  },
  sleepUntilAborted: async (script, next) => {
    const { signal } = currentCall();
    await sleep(next(), undefined, { signal }).catch(() => {});
    script.told += signal.aborted ? " aborted" : " not-aborted";
  },
  /** Loops, synchronously or not, and may be ended at every turn. */
  spinBreakable: (_, next) => {
    const call = currentCall();
    spin(next(), () => {
      call.allowBreak();
      return false;
    });
  },
  sleepBreakable: async (_, next) => {
    const call = currentCall();
    for (const untilMs = performance.now() + next(); performance.now() < untilMs; await sleep(5)) {
      call.allowBreak();
    }
  },
  protect: (script, next) => {
    script.section = currentCall().protect(next());
  },
  renew: (script, next) => script.section?.renew(next()),
  unprotect: (script) => script.section?.[Symbol.dispose](),
  /** Answers with the error's code when the protection is denied. */
  tryProtect: (script, next) => {
    try {
      script.section = currentCall().protect(next());
      script.told += " granted";
    } catch (error) {
      script.told += ` ${(error as { code: string }).code}`;
    }
  },
  /** Journals `background ID` after a while, in the background. */
  background: ({ id }, next) => {
    currentCall().background(sleep(next()).then(() => journal(`background ${id}`)));
  },
  /** Makes the answer longer by that many bytes. */
  grow: (script, next) => {
    script.told += "x".repeat(next());
  },
  /** Says nothing: makes the call longer. */
  pad: (_, next) => {
    next();
  },
  /** Keeps that many mebibytes for ever. */
  keep: (_, next) => {
    kept.push(Buffer.alloc(next() * 2 ** 20, 1));
  },
  done: ({ id }) => journal(`done ${id}`),
  exit: () => process.exit(9),
  throw: () => {
    setImmediate(() => {
      throw new Error("thrown behind the call's back");
    });
    return new Promise(() => {});
  },
  reject: () => {
    void Promise.reject(new Error("rejected behind the call's back"));
  },
  oom: () => {
    // Small objects only: the growth of one large array can make V8 abort the whole process.
    let last: object = {};
    for (;;) last = { last };
  },
};

const kept: Buffer[] = [];

const journalPath: string | undefined = process.env["ORACLE_JOURNAL"];
/** Opened for appending, so that the workers' lines follow each other. */
const journalFile: number | undefined = journalPath === undefined ? undefined : openSync(journalPath, "a");

function perform(script: Script): Answer {
  const next = (): number => Number(script.words[script.at++]);
  while (script.at < script.words.length) {
    const word = script.words[script.at++]!;
    const step = steps[word];
    if (step === undefined) throw new Error(`no step is called ${word}`);
    const later = step(script, next);
    if (later !== undefined) return later.then(() => perform(script));
  }
  script.section?.[Symbol.dispose]();
  return script.id + script.told;
}

/** Loops for `ms`, below 0 for ever, or until it is over. Returns whether it ended for that. */
function spin(ms: number, over: () => boolean): boolean {
  const untilMs = ms < 0 ? Number.POSITIVE_INFINITY : performance.now() + ms;
  while (performance.now() < untilMs) if (over()) return true;
  return false;
}

async function tick(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await null;
}

/** In ms, on the clock that all threads share; `performance` counts from an origin of its own in each. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function absent(): never {
  throw new Error("the scripted service does not have this method");
}

function journal(line: string): void {
  if (journalFile !== undefined) writeSync(journalFile, `${line}\n`);
}
