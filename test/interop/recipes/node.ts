/** Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts. */
// recipe
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import Int64 from "node-int64";
import thrift from "thrift";
import Ledger from "../../../gen/Ledger.js";
import { Entry } from "../../../gen/ledger_types.js";

type Client = InstanceType<typeof Ledger.Client>;

class Connection {
  readonly #port: number;
  #client: Client | undefined;
  /** Rejects when the connection ends; the library would leave its calls waiting for ever. */
  #lost: Promise<never> = Promise.reject(new Error("not connected"));
  #close = (): void => {};

  constructor(port: number) {
    this.#port = port;
    this.#lost.catch(() => {});
  }

  /** Calls again what was never started, and, if it is repeatable, what may have been. */
  async call<Result>(repeatable: boolean, method: (ledger: Client) => Promise<Result>): Promise<Result> {
    for (const giveUpMs = performance.now() + 10_000; ; ) {
      let sent = false;
      try {
        this.#client ??= await this.#connect();
        sent = true;
        return await Promise.race([method(this.#client), this.#lost]);
      } catch (error) {
        const refused = error instanceof thrift.Thrift.TApplicationException;
        if (!refused && sent && !(error instanceof ConnectionLost)) throw error;
        const safe = refused ? error.message.includes("not started") : !sent;
        if (!(safe || repeatable) || performance.now() > giveUpMs) throw error;
      }
      // Another server, or the next one, answers on a new connection.
      this.close();
      await sleep(50);
    }
  }

  close(): void {
    this.#close();
    this.#client = undefined;
  }

  async #connect(): Promise<Client> {
    const options = { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol };
    const connection = thrift.createConnection("127.0.0.1", this.#port, options);
    this.#close = () => connection.end();
    this.#lost = new Promise((_, reject) => {
      const end = (cause?: unknown): void => {
        this.#client = undefined;
        reject(new ConnectionLost("the connection was lost", { cause }));
      };
      connection.on("error", end);
      connection.on("close", end);
    });
    this.#lost.catch(() => {});
    await Promise.race([once(connection, "connect"), this.#lost]);
    return thrift.createClient(Ledger, connection);
  }
}

class ConnectionLost extends Error {}
// end of recipe

const connection = new Connection(Number(process.argv[2]));
process.stdin.setEncoding("utf8");
let rest = "";
for await (const text of process.stdin) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const [id = "", amount] = line.split(" ");
    const entry = new Entry({ id, debit: "cash", credit: "rent", amount: new Int64(Number(amount)) });
    // Its id makes it repeatable: the ledger knows an entry that it has.
    console.log(String(await connection.call(true, (ledger) => ledger.post(entry)).then(({ seq }) => seq)));
  }
}
connection.close();
