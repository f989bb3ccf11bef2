/** All workloads, in the order in which they are run and shown. To add one, write it and name it here. */
import { races } from "./closed-loop.ts";
import { idleConnections } from "./connections.ts";
import { cpuBound } from "./cpu.ts";
import { ledger } from "./ledger.ts";
import { drain, start } from "./lifecycle.ts";
import { mixed } from "./mixed.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  ...races,
  cpuBound,
  mixed,
  ledger,
  idleConnections,
  start,
  drain,
];
