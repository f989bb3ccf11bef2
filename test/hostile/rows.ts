/** Hostile bytes, and what is to become of the connection that sends them. */
import { deflateSync } from "node:zlib";
import { bodyRows, jsonRows } from "./body-rows.ts";
import { frameRows, headRows, nameLengths } from "./framing-rows.ts";
import { helloRows, otherHttp } from "./hello-rows.ts";
import { httpRows, webSocketRows, ws } from "./http-rows.ts";
import type { Row } from "./row.ts";
import { theaderRows } from "./theader-rows.ts";
import {
  framed,
  good,
  goodBody,
  hex,
  http,
  i32,
  join,
  protocols,
  theader,
  webSocketFrame,
  zlibTheader,
} from "./wire.ts";

/** Every row of bytes. */
export const rows: readonly Row[] = [
  ...frameRows(),
  ...headRows(),
  ...nameLengths,
  ...bodyRows(),
  ...jsonRows,
  ...helloRows,
  ...otherHttp,
  ...theaderRows,
  ...httpRows,
  ...webSocketRows,
];

/** A call to be cut off. */
export interface WholeCall {
  readonly name: string;
  readonly bytes: Buffer;
  /** So many bytes before the end it can be answered already. Default: 0. */
  readonly wholeAt?: number;
}

/** Whole calls of every form, to be cut off at every byte. */
export const wholeCalls: readonly WholeCall[] = [
  ...protocols.flatMap((protocol) => [
    { name: `framed ${protocol}`, bytes: framed(good(protocol)) },
    { name: `unframed ${protocol}`, bytes: good(protocol) },
  ]),
  { name: "old binary", bytes: join(i32(4), "echo", hex("01 00000007"), goodBody("binary")) },
  { name: "theader", bytes: theader(good("compact"), hex("02 00")) },
  { name: "theader with zlib", bytes: zlibTheader(good("binary")) },
  { name: "zlib stream", bytes: deflateSync(framed(good("binary"))), wholeAt: 5 },
  { name: "http", bytes: http(good("binary")) },
  { name: "websocket", bytes: ws(webSocketFrame(0x82, good("binary").toString("latin1"))) },
];
