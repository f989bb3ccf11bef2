/** What the harness knows of a server that takes part. */
import type { Command, Processes } from "../measure/processes.ts";

export type ProtocolName = "binary" | "compact";

/** With what a contestant is started. */
export interface Setup {
  readonly protocol: ProtocolName;
  /** Threads that run handlers, where the server has a pool of fixed size. */
  readonly workers: number;
}

export interface Contestant {
  readonly id: string;
  readonly label: string;
  /** `stock` is the npm thrift server; `apache` are Apache's servers in other languages. */
  readonly family: "sluice" | "stock" | "apache";
  /** Builds what must be built. Returns why the contestant can't take part, or undefined when it is ready. */
  prepare(processes: Processes): Promise<string | undefined>;
  /** How to start it on a free port of 127.0.0.1, which it then names on stdout. */
  command(setup: Setup): Command;
}
