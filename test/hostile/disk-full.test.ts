/**
 * A ledger whose disk is full: no receipt for what is not durable, and it goes on when there is room again. Once on a
 * small file system of its own, which needs the right to mount one; once with a limit on the size of files, which
 * needs no rights.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { statusOf } from "../support/admin.ts";
import { MessageType } from "../support/binary.ts";
import { postArguments, resultOf, trackArguments } from "../support/ledger-calls.ts";
import { connectRaw, type RawClient } from "../support/raw-client.ts";
import { assertExact } from "../support/report.ts";
import { type ServerProcess, startServer, temporaryFolder } from "../support/server-process.ts";

const args = ["--flush-interval", "100ms", "--grace", "4s", "--reserve", "2s"];

/** A server on a disk that can be filled and emptied. */
interface SmallDisk {
  readonly server: ServerProcess;
  fill(): void;
  empty(): void;
}

const disks: Readonly<Record<string, { skip: string | false; start(t: TestContext): Promise<SmallDisk> }>> = {
  "a full file system": { skip: whyNoMount(), start: startOnSmallFileSystem },
  "a limit on the size of files": { skip: whyNoPrlimit(), start: startWithSizeLimit },
};

for (const [what, { skip, start }] of Object.entries(disks)) {
  test(`${what}: posts fail without a receipt, and go on when there is room`, { skip }, async (t) => {
    const { server, fill, empty } = await start(t);
    const client = await connectRaw(t, { connect: { port: server.port } });
    const receipts = await postMany(client, "before", 200);
    assert.equal(receipts.length, 200);

    fill();
    const tries = await postMany(client, "full", 3_000);
    const failed = 3_000 - tries.length;
    assert.ok(failed > 0, "the disk never became full");
    t.diagnostic(`${tries.length} posts found room, ${failed} were refused`);
    const refusal = await client.call("post", post("full-once-more"));
    assert.equal(refusal.type, MessageType.EXCEPTION);
    assert.equal(refusal.body[2], 6, "INTERNAL_ERROR");
    // What is there can be read, and the server knows of no reason to stop.
    assert.equal(await balanceOf(client), BigInt(200 + tries.length));
    assert.equal((await fetch(`${server.adminUrl}/livez`)).status, 200);
    client.send("track", trackArguments("seen", 5), MessageType.ONEWAY);
    await server.line("counters could not be written; they are kept and tried again");

    empty();
    const after = await postMany(client, "after", 200);
    assert.equal(after.length, 200);
    // Nothing of what was refused was kept: an id that was refused is a new one.
    const again = await postMany(client, "full", 3_000);
    assert.equal(again.filter(({ duplicate }) => duplicate).length, tries.length);
    assert.equal(await balanceOf(client), BigInt(200 + 3_000 + 200));
    const { calls } = await statusOf(server);
    assert.equal(calls.failed, failed + 1);
    client.end();
    server.signal();
    const { code, last } = await server.ended;
    assert.equal(code, 0, JSON.stringify(last));
    assertExact(last);
  });

  test(`${what}: a flush that fails in a stop is exit 4, and the report says what was not written`, {
    skip,
  }, async (t) => {
    const { server, fill } = await start(t);
    const client = await connectRaw(t, { connect: { port: server.port } });
    await postMany(client, "before", 10);
    fill();
    await postMany(client, "full", 3_000);
    client.send("track", trackArguments("seen", 5), MessageType.ONEWAY);
    await resultOf(client, "balance", { 1: { string: "rent" } });
    client.end();
    server.signal();
    const { code, last } = await server.ended;
    assert.deepEqual([code, last["outcome"]], [4, "flush-failed"]);
    assertExact(last);
    const failures = last["failures"] as readonly Record<string, unknown>[];
    t.diagnostic(JSON.stringify(failures));
    assert.ok(failures.length > 0);
    assert.match(JSON.stringify(failures), /store.*can't be written.*not written: the changes of 1 counters/);
  });
}

/** Entries of 1 to 2 KiB: they fill a disk soon. */
function post(id: string): ReturnType<typeof postArguments> {
  const args = postArguments({ id, debit: "cash", credit: "rent", amount: 1 });
  const entry = args[1] as { struct: Record<number, unknown> };
  return { 1: { struct: { ...entry.struct, 5: { string: "m".repeat(1_500) } } as never } };
}

/** Posts, 50 at a time, and resolves with the receipts. Everything else must be INTERNAL_ERROR. */
async function postMany(client: RawClient, name: string, count: number): Promise<{ duplicate: boolean }[]> {
  const receipts: { duplicate: boolean }[] = [];
  for (let from = 0; from < count; from += 50) {
    const replies = await Promise.all(
      Array.from({ length: Math.min(50, count - from) }, (_, at) =>
        client.call("post", post(`${name}-${from + at}`)),
      ),
    );
    for (const { type, body } of replies) {
      if (type === 2) receipts.push({ duplicate: (body[0] as unknown as Record<number, boolean>)[2]! });
      else assert.equal(body[2], 6, String(body[1]));
    }
    client.replies.length = 0;
  }
  return receipts;
}

async function balanceOf(client: RawClient): Promise<bigint> {
  // Credited, so it is positive or negative by the ledger's own rule: only the amount counts here.
  const balance = (await resultOf(client, "balance", { 1: { string: "rent" } })) as bigint;
  return balance < 0n ? -balance : balance;
}

/** A file system of 3 MiB that only the server's mount namespace has; it is filled through /proc. */
async function startOnSmallFileSystem(t: TestContext): Promise<SmallDisk> {
  const folder = join(temporaryFolder(t), "disk");
  mkdirSync(folder);
  const server = await startServer(t, {
    args: [...args, "--store", `sqlite:${folder}/ledger.db`],
    wrapper: ["unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=16m none '${folder}' && exec "$@"`, "sh"],
  });
  const ballast = `/proc/${server.pid}/root${folder}/ballast`;
  return {
    server,
    fill() {
      // As much as there is room for.
      for (const bytes of [1 << 20, 1 << 12]) {
        const piece = Buffer.alloc(bytes);
        try {
          for (;;) writeFileSync(ballast, piece, { flag: "a" });
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
        }
      }
    },
    empty: () => rmSync(ballast),
  };
}

async function startWithSizeLimit(t: TestContext): Promise<SmallDisk> {
  const store = `sqlite:${join(temporaryFolder(t), "ledger.db")}`;
  const server = await startServer(t, { args: [...args, "--store", store] });
  const limit = (bytes: string): void => {
    execFileSync("prlimit", ["--pid", String(server.pid), `--fsize=${bytes}:unlimited`]);
  };
  return { server, fill: () => limit("1"), empty: () => limit("unlimited") };
}

function whyNoMount(): string | false {
  try {
    execFileSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"], { stdio: "pipe" });
    return false;
  } catch {
    return "no file system can be mounted here: that needs root, and unshare and mount of util-linux";
  }
}

function whyNoPrlimit(): string | false {
  try {
    execFileSync("prlimit", ["--pid", String(process.pid)], { stdio: "pipe" });
    return false;
  } catch {
    return "the prlimit command is missing";
  }
}
