/**
 * Rolls replicas under callers, long:
 *
 *     make roll ARGS='--variant restart --seconds 120 --transport header'
 */
import { parseArgs } from "node:util";
import { type RollVariant, roll } from "./rolling.ts";

const { values } = parseArgs({
  options: {
    variant: { type: "string", default: "restart,kill,freeze" },
    seconds: { type: "string", default: "120" },
    transport: { type: "string", default: "header" },
    quiet: { type: "string", default: "10" },
  },
});

let failed = false;
for (const variant of values.variant.split(",") as RollVariant[]) {
  const result = await roll({
    variant,
    rollMs: Number(values.seconds) * 1000,
    quietMs: Number(values.quiet) * 1000,
    transport: values.transport as "header",
    tell: (text) => console.error(text),
  });
  console.log(JSON.stringify({ variant, transport: values.transport, ...result }, null, 2));
  failed ||= result.errors.length > 0 || (result.entries?.twice ?? 0) > 0;
}
if (failed) process.exitCode = 1;
