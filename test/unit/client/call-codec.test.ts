import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCodec } from "../../../src/client/call-codec.ts";
import { createMessageView, MessageType } from "../../../src/wire/message.ts";

test("a reply to a oneway call, which some servers send, is no error", () => {
  const codec = new CallCodec("binary", { recursionLimit: 64, maxContainerElements: 10 }, 4);
  const view = createMessageView();
  view.bytes = Buffer.from([0]);
  view.end = 1;
  view.type = MessageType.REPLY;
  assert.deepEqual(codec.decode(undefined, view), { kind: "result", value: undefined });
});
