/** The stock npm thrift server, on the Node that runs the harness. */
import { join } from "node:path";
import { benchFolder } from "./build.ts";
import type { Contestant } from "./contestant.ts";

export const stockNode: Contestant = {
  id: "node",
  label: "npm thrift (stock)",
  family: "stock",
  prepare: async () => undefined,
  command: ({ protocol }) => ({
    file: process.execPath,
    args: [join(benchFolder, "servers", "node", "stock.ts"), "0", protocol],
  }),
};
