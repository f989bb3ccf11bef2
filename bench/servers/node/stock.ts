/**
 * The stock npm thrift server: `thrift.createServer` with framed transport, on Node's one thread.
 * Usage: stock.ts PORT binary|compact
 */
import type { AddressInfo } from "node:net";
import thrift from "thrift";
import Bench from "../../gen/Bench.js";
import { burnCpu } from "../burn-cpu.ts";

const [port, protocol] = process.argv.slice(2);

// Handlers that return values, as most are written; with callbacks 8 x 16 was about a tenth slower.
const handler = {
  ping: () => {},
  echo: <T>(item: T) => item,
  blob: <T>(data: T) => data,
  burn: (ms: number) => burnCpu(ms),
};

const server = thrift.createServer(Bench, handler, {
  transport: thrift.TFramedTransport,
  protocol: protocol === "compact" ? thrift.TCompactProtocol : thrift.TBinaryProtocol,
});
server.on("error", (error: Error) => process.stderr.write(`${error.stack}\n`));
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ msg: "listening", port: address.port })}\n`);
});
