/** The answer to a client that begins with HTTP/2 without having asked: an empty SETTINGS, and GOAWAY with its reason. */
import type { Socket } from "node:net";

const settings: readonly number[] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const http11Required = 0x0d;
const goaway: readonly number[] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, http11Required];
const refusal: Buffer = Buffer.from([...settings, ...goaway]);

/** Tells the client to use HTTP/1.1. The connection is to be ended afterwards. */
export function refuseHttp2(socket: Socket): void {
  socket.write(refusal);
}
