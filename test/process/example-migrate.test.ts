/** examples/migrate: the same clients, the same answers, and what becomes of calls at SIGTERM. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inTime } from "../support/attempts.ts";
import { MessageType } from "../support/binary.ts";
import { freePort } from "../support/free-ports.ts";
import { connectRaw, type RawClient, type Reply } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { startServer, temporaryFolder } from "../support/server-process.ts";

const folder = fileURLToPath(new URL("../../examples/migrate", import.meta.url));
const modules = [join(folder, "after/server.js")];

/** Clients in the drains; each has one call in flight, which takes 200 ms. */
const clients = 20;
/** Calls have arrived by then, and none is answered, in ms. */
const signalAfterMs = 80;

/** A stock server process. */
interface Stock {
  readonly child: ChildProcess;
  readonly port: number;
  /** Resolves with how it ended. */
  readonly ended: Promise<[code: number | null, signal: string | null]>;
}

/** @param more is added to the server's file */
async function startStock(t: TestContext, more = ""): Promise<Stock> {
  const copy = temporaryFolder(t);
  cpSync(folder, join(copy, "migrate"), { recursive: true });
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(copy, "node_modules"));
  writeFileSync(join(copy, "package.json"), JSON.stringify({ type: "module" }));
  const server = join(copy, "migrate/before/server.js");
  if (more !== "") writeFileSync(server, readFileSync(server, "utf8") + more);
  const port = await freePort();
  const env = { ...process.env, NODE_OPTIONS: "", PORT: String(port) };
  const child = spawn(process.execPath, [server], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return { child, port, ended };
}

async function runClient(port: number): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: "", PORT: String(port) };
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "client.js")], { env });
  return stdout;
}

test("migrate.diff is what differs between before and after", () => {
  const args = ["-u", "--label", "before/server.js", "--label", "after/server.js"];
  const { stdout } = spawnSync("diff", [...args, "before/server.js", "after/server.js"], { cwd: folder });
  const path = join(folder, "migrate.diff");
  if (process.env["UPDATE_EXAMPLES"] === "1") writeFileSync(path, stdout);
  assert.equal(readFileSync(path, "utf8"), String(stdout));
});

test("a client of the npm package gets the same answers from both servers", async (t) => {
  const stock = await startStock(t);
  const before = await runClient(stock.port);
  stock.child.kill();
  const server = await startServer(t, { modules });
  assert.equal(await runClient(server.port), before);
  assert.match(before, /take 3 apples: true apple 2\n/, "a declared exception among them");
  server.signal();
  assert.equal((await server.ended).code, 0);
});

/** Sends a call that takes long and one that does not, and tells which was answered first. */
async function firstAnswered(t: TestContext, port: number): Promise<string> {
  const client = await connectRaw(t, { connect: { port } });
  await client.call("receive", { 1: { string: "apple" }, 2: { i32: 1 } });
  const slow = client.send("take", { 1: { string: "apple" }, 2: { i32: 1 } });
  const fast = client.send("stock");
  await Promise.all([client.reply(slow), client.reply(fast)]);
  const [, second, third] = client.replies.map(({ seqid }) => seqid);
  assert.deepEqual([second, third].sort(), [slow, fast]);
  client.socket.destroy();
  return second === slow ? "take" : "stock";
}

test("the stock server answers when a call is ready, Sluice in the order of the calls, or as the stock one", async (t) => {
  const stock = await startStock(t);
  assert.equal(await firstAnswered(t, stock.port), "stock");
  const server = await startServer(t, { modules });
  assert.equal(await firstAnswered(t, server.port), "take");
  const any = await startServer(t, { modules, args: ["--reply-order", "any"] });
  assert.equal(await firstAnswered(t, any.port), "stock");
});

test("plain and multiplexed clients are answered", async (t) => {
  const server = await startServer(t, { modules });
  const client = await connectRaw(t, { connect: { port: server.port } });
  for (const name of ["stock", "Inventory:stock"]) {
    assert.equal((await client.call(name)).type, MessageType.REPLY);
  }
});

/** Calls of clients that go on calling, one at a time each, as long as their connection is open. */
class Load {
  readonly #clients: readonly RawClient[];
  /** The replies to the calls that were in flight when `begin` resolved. */
  readonly first: (Reply | undefined)[] = [];
  readonly later: Reply[] = [];
  readonly #over: Promise<unknown>[] = [];

  private constructor(connected: readonly RawClient[]) {
    this.#clients = connected;
  }

  /** Resolves when one call of each client runs. */
  static async begin(t: TestContext, port: number): Promise<Load> {
    const connected = await Promise.all(
      Array.from({ length: clients }, () => connectRaw(t, { connect: { port } })),
    );
    const load = new Load(connected);
    for (const client of connected)
      await client.call("receive", { 1: { string: "apple" }, 2: { i32: 1000 } });
    for (const client of connected) load.#over.push(load.#go(client));
    await sleep(signalAfterMs);
    return load;
  }

  async #go(client: RawClient): Promise<void> {
    const take = (): Promise<Reply> => client.call("take", { 1: { string: "apple" }, 2: { i32: 1 } });
    const first = await take().catch(() => undefined);
    this.first.push(first);
    if (first === undefined) return;
    try {
      for (;;) this.later.push(await take());
    } catch {
      client.end();
    }
  }

  /** How many of the first calls were answered. */
  get answered(): number {
    return this.first.filter((reply) => reply?.type === MessageType.REPLY).length;
  }

  /** Resolves when every connection has ended. */
  async over(): Promise<void> {
    await Promise.all(this.#over);
    for (const { socket } of this.#clients) socket.destroy();
  }
}

test("SIGTERM ends the stock server, and nothing that was in flight is answered", async (t) => {
  await inTime(t, async () => {
    const { child, port, ended } = await startStock(t);
    const load = await Load.begin(t, port);
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [null, "SIGTERM"]);
    await load.over();
    t.diagnostic(`${load.answered} of ${clients} calls in flight were answered`);
    return load.answered > 0 ? "the signal came when calls had been answered" : undefined;
  });
});

test("with server.close() at SIGTERM the stock server answers, and does not end while clients stay", async (t) => {
  const { child, port, ended } = await startStock(t, 'process.once("SIGTERM", () => server.close());\n');
  const load = await Load.begin(t, port);
  child.kill("SIGTERM");
  const running = await Promise.race([ended, sleep(3000, "it runs")]);
  assert.equal(running, "it runs");
  assert.equal(load.answered, clients);
  const { length } = load.later;
  child.kill("SIGKILL");
  await load.over();
  t.diagnostic(
    `${load.answered} of ${clients} calls in flight were answered, ${length} more in 3 s; it still ran`,
  );
  assert.ok(length > clients);
});

test("SIGTERM has Sluice answer what is in flight and end", async (t) => {
  const server = await startServer(t, { modules });
  const load = await Load.begin(t, server.port);
  const signalledAtMs = server.signal();
  const { code, last, atMs } = await server.ended;
  await load.over();
  assert.equal(code, 0, JSON.stringify(last));
  assertExact(last);
  assert.equal(load.answered, clients);
  const refused = load.later.filter(({ type }) => type === MessageType.EXCEPTION);
  assert.equal(last["completed"], 2 * clients + load.later.length - refused.length, "each with its reply");
  assert.equal(last["rejected"], refused.length);
  for (const { body } of refused) assert.match(String(body[1]), /draining; not started/);
  t.diagnostic(
    `${load.answered} of ${clients} calls in flight were answered, ${load.later.length - refused.length} more, ` +
      `${refused.length} refused; exit code 0 after ${Math.round(atMs - signalledAtMs)} ms`,
  );
});
