/** `sluice check-grace`: whether the server's times fit the supervisor that it finds itself under. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseArguments } from "../config/arguments.ts";
import { resolveConfig } from "../config/config.ts";
import type { OptionSpec } from "../config/option-kinds.ts";
import { options } from "../config/options.ts";
import { readOptions } from "../config/read-options.ts";
import type { ServeOptions } from "../config/serve-options.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { endWith, exitCodes } from "./exit.ts";
import { judgeGrace, parseSystemdSpan, type SupervisorLimits, unitOfCgroup } from "./supervisor-limits.ts";

const ownOptions = {
  unit: {
    kind: "text",
    fallback: undefined,
    placeholder: "NAME",
    form: "the name of a unit such as sluice.service",
    accepts: (text) => /^[\w@.:\\-]{1,255}$/.test(text) && !text.startsWith("-"),
    help: "ask systemd about this unit; else the one that this process runs in",
  },
  supervisorGrace: {
    kind: "duration",
    fallback: undefined,
    min: 0,
    max: 24 * 3_600_000,
    help: "what the supervisor gives a stop, when it can't be learnt (Kubernetes, Docker)",
  },
} as const satisfies Record<string, OptionSpec>;

const stopOptions = {
  grace: options.grace,
  lameDuck: options.lameDuck,
  quiet: options.quiet,
  reserve: options.reserve,
  startTimeout: options.startTimeout,
} as const;

const table = { ...stopOptions, ...ownOptions };

/** The command. */
export const checkGraceCommand: Command = {
  name: "check-grace",
  usage: "",
  summary: "whether grace and the like fit the supervisor: systemd, Docker, Kubernetes",
  description: `Compares the times of a stop, from flags and environment as sluice serve reads them, with what the supervisor gives:
TimeoutStopSec by asking systemd; in a pod or container, which can't learn it, what is told by --supervisor-grace.
Exits with 0 when they fit or it can't be known, 1 when they do not fit, 2 for a mistake in the options.`,
  options: table,
  async run(context) {
    const { given, positionals } = parseArguments(table, context.argv);
    if (positionals.length > 0) {
      throw new UsageError(`sluice check-grace takes no arguments; got "${positionals[0]}"`);
    }
    const read = readOptions(table, given, { env: context.env, naming: "flag" });
    const times = Object.entries(given).filter(([key]) => key in stopOptions);
    const config = resolveConfig(Object.fromEntries(times) as ServeOptions, {
      env: context.env,
      naming: "flag",
    });
    const limits = findSupervisor(context, read.optionalNumber("supervisorGrace"), read.optionalText("unit"));
    const { verdict, lines } = judgeGrace(config, limits);
    context.out(`${verdict.replaceAll("-", " ")}: ${lines.join("\n  ")}\n`);
    return endWith(verdict === "does-not-fit" ? exitCodes.failed : exitCodes.done);
  },
};

/** What is told wins; then what can be asked; then what only leaves traces. */
function findSupervisor(
  { env }: CommandContext,
  toldMs: number | undefined,
  unitGiven: string | undefined,
): SupervisorLimits {
  if (toldMs !== undefined) return { kind: "told", stopMs: toldMs };
  const inUnit = env["INVOCATION_ID"] !== undefined || env["NOTIFY_SOCKET"] !== undefined;
  const unit = unitGiven ?? (inUnit ? ownUnit() : undefined);
  if (unit !== undefined) return askSystemd(unit);
  if (env["KUBERNETES_SERVICE_HOST"] !== undefined) return { kind: "kubernetes" };
  return existsSync("/.dockerenv") ? { kind: "docker" } : { kind: "none" };
}

function ownUnit(): string | undefined {
  try {
    return unitOfCgroup(readFileSync("/proc/self/cgroup", "utf8"));
  } catch {
    return undefined;
  }
}

/** @throws {UsageError} when systemd does not know the unit or does not answer */
function askSystemd(unit: string): SupervisorLimits {
  const properties = ["LoadState", "Type", "TimeoutStopUSec", "TimeoutStartUSec"];
  let said: string;
  try {
    const args = ["show", unit, ...properties.map((name) => `--property=${name}`)];
    said = execFileSync("systemctl", args, {
      encoding: "utf8",
      timeout: 5000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    throw new UsageError(`systemd can't be asked about ${unit}: ${(error as Error).message.split("\n")[0]}`);
  }
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(said)?.[1] ?? "";
  const stopMs = parseSystemdSpan(value("TimeoutStopUSec"));
  const startMs = parseSystemdSpan(value("TimeoutStartUSec"));
  if (value("LoadState") !== "loaded" || stopMs === undefined || startMs === undefined) {
    throw new UsageError(`systemd has no unit ${unit}; name another with --unit`);
  }
  return { kind: "systemd", unit, type: value("Type"), stopMs, startMs };
}
