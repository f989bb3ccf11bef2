/** What the supervisor of a server gives it, and whether the server's own times fit into that. Pure but for its inputs. */
import { showDuration } from "../config/option-kinds.ts";

/** The supervisor, as far as its limits can be learnt. */
export type SupervisorLimits =
  /** Told by an option, wherever that is. */
  | { readonly kind: "told"; readonly stopMs: number }
  /** `stopMs` and `startMs` are Infinity when there is no limit. */
  | {
      readonly kind: "systemd";
      readonly unit: string;
      readonly type: string;
      readonly stopMs: number;
      readonly startMs: number;
    }
  | { readonly kind: "kubernetes" }
  | { readonly kind: "docker" }
  | { readonly kind: "none" };

/** The server's times. */
export interface ServerTimes {
  readonly graceMs: number;
  readonly lameDuckMs: number;
  readonly reserveMs: number;
  readonly startTimeoutMs: number;
}

/** `unknown`: the supervisor does not tell; the lines say what must hold. */
export interface Judgement {
  readonly verdict: "fits" | "does-not-fit" | "unknown";
  readonly lines: readonly string[];
}

/** For the last lines of the log and the end of the process, beyond `grace`, in ms. */
const exitMs = 1000;
const dockerDefaultMs = 10_000;

/** Compares the server's times with what its supervisor gives. */
export function judgeGrace(times: ServerTimes, limits: SupervisorLimits): Judgement {
  const needMs = times.graceMs + exitMs;
  const need = `grace ${showDuration(times.graceMs)} and ${showDuration(exitMs)} to leave: ${showDuration(needMs)}`;
  const told = (what: string, stopMs: number): Judgement => {
    const fits = stopMs >= needMs;
    const line = `${what} is ${show(stopMs)}; the server needs ${need}${fits ? "" : "; raise the former or lower grace"}`;
    return { verdict: fits ? "fits" : "does-not-fit", lines: [line] };
  };
  switch (limits.kind) {
    case "told":
      return told("the supervisor's time", limits.stopMs);
    case "systemd":
      return join(told(`TimeoutStopSec of ${limits.unit}`, limits.stopMs), judgeSystemdStart(times, limits));
    case "docker":
      return {
        verdict: needMs <= dockerDefaultMs ? "fits" : "unknown",
        lines: [
          `docker stop gives 10s if nothing else is said (--stop-timeout, stop_grace_period), and a container can't learn it; the server needs ${need}`,
        ],
      };
    case "kubernetes":
      return {
        verdict: "unknown",
        lines: [
          `a pod can't learn its terminationGracePeriodSeconds: it must be at least ${Math.ceil(needMs / 1000)}, and the time of a preStop hook more`,
          "tell it by SLUICE_SUPERVISOR_GRACE, and it is compared here",
        ],
      };
    case "none":
      return {
        verdict: "unknown",
        lines: [`no supervisor is known here; whatever stops the server must wait for ${need}`],
      };
  }
}

/** With Type=notify a start that takes longer asks for more; without it systemd does not wait for it. */
function judgeSystemdStart(
  times: ServerTimes,
  { unit, type, startMs }: SupervisorLimits & { kind: "systemd" },
): Judgement {
  if (!type.startsWith("notify")) {
    const line = `${unit} is of Type=${type}: with Type=notify and NotifyAccess=all systemd learns when the server is ready`;
    return { verdict: "fits", lines: [line] };
  }
  if (startMs >= times.startTimeoutMs) return { verdict: "fits", lines: [] };
  const line = `TimeoutStartSec of ${unit} is ${show(startMs)}, less than start-timeout ${showDuration(times.startTimeoutMs)}: raise it`;
  return { verdict: "does-not-fit", lines: [line] };
}

function join(first: Judgement, second: Judgement): Judgement {
  const verdict = first.verdict === "does-not-fit" ? first.verdict : second.verdict;
  return { verdict, lines: [...first.lines, ...second.lines] };
}

function show(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? "unlimited" : showDuration(ms);
}

const unitsMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A span of time as `systemctl show` writes it: `1min 30s`, `infinity`. Undefined when it is none. */
export function parseSystemdSpan(text: string): number | undefined {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*(us|ms|min|s|h|d|w)\b/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitsMs[unit!]!, 0);
}

/** The unit of a process by its `/proc/PID/cgroup`; undefined when it runs in none that systemd would stop. */
export function unitOfCgroup(cgroup: string): string | undefined {
  const names = cgroup
    .split("\n")
    .flatMap((line) => line.split("/").filter((name) => name.endsWith(".service")));
  return names.find((name) => !name.startsWith("user@"));
}
