/**
 * Rolls replicas under callers, long:
 *
 *     make roll ARGS='--variant restart --seconds 120 --transport header'
 *
 * The variant `partition` drops packets, in a network namespace that it has to be started in, as root:
 *
 *     unshare --net sh -c 'ip link set lo up && make roll ARGS="--variant partition"'
 */
import { parseArgs } from "node:util";
import { type RollVariant, roll } from "./rolling.ts";

const { values } = parseArgs({
  options: {
    variant: { type: "string", default: "restart,kill,freeze" },
    seconds: { type: "string", default: "120" },
    transport: { type: "string", default: "header" },
    call: { type: "string", default: "post" },
    pause: { type: "string", default: "0" },
    quiet: { type: "string", default: "10" },
  },
});

let failed = false;
for (const variant of values.variant.split(",") as RollVariant[]) {
  const result = await roll({
    variant,
    rollMs: Number(values.seconds) * 1000,
    quietMs: Number(values.quiet) * 1000,
    besideMs: variant === "restart" || variant === "kill" ? Number(values.quiet) * 1000 : 0,
    pauseMs: Number(values.pause) * 1000,
    call: values.call as "post",
    transport: values.transport as "header",
    tell: (text) => console.error(text),
  });
  console.log(
    JSON.stringify({ variant, call: values.call, transport: values.transport, ...result }, null, 1),
  );
  const { quiet, beside, rolling } = result;
  const besides =
    beside === undefined ? "" : `, ${(rolling.p99 / beside.p99).toFixed(2)} × while others restart`;
  console.log(`${variant}: p99 ${rolling.p99} ms, ${(rolling.p99 / quiet.p99).toFixed(2)} × quiet${besides}`);
  failed ||= result.errors.length > 0 || (result.entries?.twice ?? 0) > 0;
}
if (failed) process.exitCode = 1;
