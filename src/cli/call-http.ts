/** Calls by HTTP POST and over a WebSocket. */
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { NetConnectOpts } from "node:net";
import WebSocket from "ws";
import type { Answer, CallCodec } from "./call-codec.ts";
import { CallError, type CallTarget, closedError, connectionError, lateError } from "./call-target.ts";

/** By POST; a oneway is answered with an empty body. @throws {CallError} */
export function callByHttp(codec: CallCodec, target: CallTarget): Promise<Answer | undefined> {
  const { connect, tls, timeoutMs } = target;
  return new Promise((resolve, reject) => {
    const request = tls === undefined ? requestPlain : requestTls;
    const headers = { "content-type": "application/x-thrift", "content-length": codec.request.length };
    const options = { ...placeOf(connect), ...tls, method: "POST", path: "/", headers, agent: false };
    let connected = false;
    const asking = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => reject(connectionError(error, target, true)));
      response.on("end", () => {
        clearTimeout(timer);
        resolve(answerOf(codec, response.statusCode ?? 0, Buffer.concat(chunks)));
      });
    });
    const timer = setTimeout(() => asking.destroy(lateError(target, connected)), timeoutMs);
    asking.on("socket", (socket) => {
      socket.on(tls === undefined ? "connect" : "secureConnect", () => {
        connected = true;
      });
    });
    asking.on("error", (error) => {
      clearTimeout(timer);
      reject(error instanceof CallError ? error : connectionError(error, target, connected));
    });
    asking.end(codec.request);
  });
}

function answerOf(codec: CallCodec, status: number, body: Buffer): Answer | undefined {
  if (status === 200 && codec.oneway) return undefined;
  if (status !== 200) {
    const text = body.toString("utf8", 0, 200).trim();
    return { kind: "unreadable", cause: `HTTP status ${status}${text === "" ? "" : `: ${text}`}` };
  }
  const answer = codec.read(body);
  return answer === "incomplete" ? { kind: "unreadable", cause: "it ends too early" } : answer;
}

/** As one message of a WebSocket. @throws {CallError} */
export function callByWebSocket(codec: CallCodec, target: CallTarget): Promise<Answer | undefined> {
  const { connect, tls, timeoutMs } = target;
  const place = placeOf(connect);
  const url =
    "socketPath" in place
      ? `ws+unix://${place.socketPath}:/`
      : `${tls === undefined ? "ws" : "wss"}://${place.host.includes(":") ? `[${place.host}]` : place.host}:${place.port}/`;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { ...tls, perMessageDeflate: false });
    let connected = false;
    const timer = setTimeout(() => end(() => reject(lateError(target, connected))), timeoutMs);

    function end(settle: () => void): void {
      clearTimeout(timer);
      settle();
      socket.terminate();
    }

    socket.on("open", () => {
      connected = true;
      socket.send(codec.request);
      // The server answers a close behind what it has read.
      if (codec.oneway) socket.close(1000);
    });
    socket.on("message", (data) => {
      const answer = answerOf(codec, 200, Buffer.concat([data as Buffer].flat()));
      end(() => resolve(answer));
    });
    socket.on("close", () => {
      if (codec.oneway && connected) end(() => resolve(undefined));
      else end(() => reject(closedError(target, connected)));
    });
    socket.on("error", (error) => end(() => reject(connectionError(error, target, connected))));
  });
}

function placeOf(connect: NetConnectOpts): { socketPath: string } | { host: string; port: number } {
  if ("path" in connect) return { socketPath: connect.path };
  return { host: connect.host ?? "127.0.0.1", port: connect.port };
}
