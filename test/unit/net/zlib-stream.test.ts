import assert from "node:assert/strict";
import { once } from "node:events";
import { duplexPair, PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { constants, createInflate, deflateSync } from "node:zlib";
import { ZlibStream } from "../../../src/net/zlib-stream.ts";

const listener = { compressedRead() {}, corrupted: (error: Error) => assert.fail(error) };

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("what a reader does not take is not decompressed", async () => {
  const [outer, peer] = duplexPair();
  const stream = new ZlibStream(outer, listener);
  peer.write(deflateSync(Buffer.alloc(64 * 1024 * 1024)));
  let received = 0;
  stream.on("data", (chunk: Buffer) => {
    received += chunk.length;
    stream.pause();
  });
  await once(stream, "data");
  await settle();
  assert.ok(stream.readableLength < 512 * 1024, `${stream.readableLength} bytes are held`);
  stream.removeAllListeners("data");
  stream.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  stream.resume();
  peer.end();
  await once(stream, "end");
  assert.equal(received, 64 * 1024 * 1024);
  stream.destroy();
});

test("each write is flushed, whole, before the next, however large", async () => {
  const [outer, peer] = duplexPair();
  const stream = new ZlibStream(outer, listener);
  const inflate = peer.pipe(createInflate({ finishFlush: constants.Z_SYNC_FLUSH })).pipe(new PassThrough());
  const random = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) >> 5));
  const written: Buffer[] = [];
  for (const size of [1, 100, 20_000, 300_000, 5]) {
    const chunk = random.subarray(0, size);
    written.push(chunk);
    const done = new Promise((resolve) => stream.write(chunk, resolve));
    let received = 0;
    while (received < size) {
      const piece = inflate.read() as Buffer | null;
      if (piece === null) await once(inflate, "readable");
      else received += piece.length;
    }
    await done;
    assert.equal(received, size);
  }
  stream.end();
  assert.equal((await buffer(inflate)).length, 0);
});

test("what is no zlib stream is told once, and what follows is handed on to be thrown away", async () => {
  const [outer, peer] = duplexPair();
  const told: Error[] = [];
  const corrupted = Promise.withResolvers<void>();
  const stream = new ZlibStream(outer, {
    compressedRead() {},
    corrupted: (error) => {
      told.push(error);
      corrupted.resolve();
    },
  });
  const received = buffer(stream);
  peer.write("no zlib stream");
  await corrupted.promise;
  peer.end("more of it");
  assert.equal(String(await received), "more of it");
  assert.equal(told.length, 1);
});
