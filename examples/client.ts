/** Posts to ledgers until it is interrupted, deploys or not: node --conditions=sluice-source examples/client.ts HOST:PORT… */
import { createClient, DeadlineError, UnknownOutcomeError } from "thrift-sluice/client";
import Ledger from "../gen/Ledger.js";
import { InvalidEntry } from "../gen/ledger_types.js";

const client = createClient(Ledger, {
  endpoints: process.argv.slice(2),
  transport: "header",
  methods: { post: { idempotent: true, timeoutMs: 2000 } },
});
let going = true;
process.once("SIGINT", () => {
  going = false;
});

for (let i = 1; going; i++) {
  try {
    const entry = { id: `${process.pid}-${i}`, debit: "cash", credit: "rent", amount: i };
    const { seq } = await client.post(entry);
    console.log(`entry ${i} is at ${seq}`);
  } catch (error) {
    if (error instanceof InvalidEntry) console.log(`the ledger refuses it: ${error.message}`);
    else if (error instanceof UnknownOutcomeError || error instanceof DeadlineError)
      console.log(error.message);
    else throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await client.close();
