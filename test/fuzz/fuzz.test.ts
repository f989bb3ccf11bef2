/** A short run of the fuzzer, and all that it ever found. The long run: `make fuzz`. */
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Fuzzer } from "./fuzz-messages.ts";
import { fuzzServer } from "./fuzz-server.ts";

const corpus = new URL("corpus/", import.meta.url);
const runMs = 2_500;
/** Another one each time; a finding names it. */
const seed = Number(process.env["SLUICE_SEED"] ?? Date.now() % 1_000_000);

test("each message that once was a finding is taken as it should", () => {
  const fuzzer = new Fuzzer(0);
  for (const name of readdirSync(corpus).filter((each) => each.endsWith(".bin"))) {
    fuzzer.replay(readFileSync(new URL(name, corpus)));
  }
});

test("mutated messages end in well-formed replies or a refusal, and valid ones are answered", (t) => {
  const fuzzer = new Fuzzer(seed);
  const untilMs = performance.now() + runMs;
  for (let number = 0; number % 256 > 0 || performance.now() < untilMs; number++) fuzzer.run(number);
  t.diagnostic(`--seed ${seed}: ${JSON.stringify(fuzzer.result)}`);
});

test("a server process survives them on every transport, and its account is right", async (t) => {
  const result = await fuzzServer({ seed, messages: 1_500, seconds: 5 });
  t.diagnostic(`--server --seed ${seed}: ${JSON.stringify(result)}`);
});
