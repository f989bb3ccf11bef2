import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recogniseSpeech, type Speech } from "../../../src/net/intake-speech.ts";
import { encodeCall, frame } from "../../support/binary.ts";

const call = encodeCall("echo", 1, { 1: { string: "x" } });

const beginnings: readonly (readonly [string, Buffer, Speech])[] = [
  ["a ClientHello", Buffer.from("16030102000100", "hex"), "tls"],
  ["POST", Buffer.from("POST / HTTP/1.1\r\n"), "http"],
  ["GET", Buffer.from("GET /chat HTTP/1.1\r\n"), "http"],
  ["OPTIONS", Buffer.from("OPTIONS * HTTP/1.1\r\n"), "http"],
  ["HTTP/2's preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "http2"],
  ["a framed message", frame(call), "thrift"],
  ["an unframed message", call, "thrift"],
  ["JSON", Buffer.from('[1,"echo",1,7,{}]'), "thrift"],
  ["a compact message", Buffer.from("822101046563686f00", "hex"), "thrift"],
  ["capital letters that are no method", Buffer.from("POSTER"), "thrift"],
  ["a record that is none of TLS", Buffer.from("160a0000", "hex"), "thrift"],
];

describe("recogniseSpeech", () => {
  for (const [what, bytes, speech] of beginnings) {
    test(`knows ${what}, however few bytes come at first`, () => {
      let decided: Speech | undefined;
      for (let length = 0; length <= bytes.length; length++) {
        const found = recogniseSpeech(bytes.subarray(0, length));
        // Once decided it is never taken back.
        if (decided !== undefined) assert.equal(found, decided);
        decided = found;
      }
      assert.equal(decided, speech);
    });
  }
});
