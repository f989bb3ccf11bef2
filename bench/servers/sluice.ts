/** Sluice itself, started as a user starts it: `sluice serve`, everything on, from source. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../measure/processes.ts";
import { benchFolder } from "./build.ts";
import type { Contestant } from "./contestant.ts";

const cli = join(benchFolder, "..", "bin", "sluice.js");

/**
 * Runs `sluice serve` on free ports with further arguments, a service module among them. The condition lets the
 * module's import of "thrift-sluice" find the source, as everything else in a checkout does.
 */
export function sluiceServe(...args: readonly string[]): Command {
  const node = ["--conditions=sluice-source", cli];
  return { file: process.execPath, args: [...node, "serve", ...args, "--port", "0", "--admin-port", "0"] };
}

export const sluice: Contestant = {
  id: "sluice",
  label: "Sluice",
  family: "sluice",
  prepare: async () => (existsSync(cli) ? undefined : "bin/sluice.js is not there yet"),
  command: ({ workers }) => sluiceServe(join(benchFolder, "service.ts"), "--workers", String(workers)),
};
