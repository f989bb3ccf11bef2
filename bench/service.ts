/** Sluice as a contestant: what `sluice serve bench/service.ts` runs. */
import { defineService } from "thrift-sluice";
import Bench from "./gen/Bench.js";
import type { Item } from "./gen/bench_types.js";
import { burnCpu } from "./servers/burn-cpu.ts";

const definition: unknown = defineService({
  name: "Bench",
  service: Bench,
  handler: () => ({
    ping: () => {},
    echo: (item: Item) => item,
    blob: (data: Buffer) => data,
    burn: (ms: number) => burnCpu(ms),
  }),
});

export default definition;
