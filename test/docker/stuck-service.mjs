/** A service that hangs in both ways: `ping` loops, `audit` sits in native code. Runs inside the image, from /app. */
import { execSync } from "node:child_process";
import { defineService } from "thrift-sluice";
import Ledger from "./gen/Ledger.js";

const loop = () => {
  for (;;);
};

export default defineService({
  name: "Ledger",
  service: Ledger,
  handler: () => ({
    ping: loop,
    audit: () => execSync("sleep 600"),
    post: loop,
    postAll: loop,
    balance: () => 1n,
    entries: loop,
    track: loop,
    counters: loop,
  }),
});
