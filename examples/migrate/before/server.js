/** The inventory, on the npm package's server. */
import { setTimeout as sleep } from "node:timers/promises";
import thrift from "thrift";
import Inventory from "../gen/Inventory.js";
import types from "../gen/inventory_types.js";

const counts = new Map();

const handler = {
  receive(sku, count, result) {
    const now = (counts.get(sku) ?? 0) + count;
    counts.set(sku, now);
    result(null, now);
  },
  async take(sku, count) {
    await sleep(200); // As long as asking another system takes.
    const have = counts.get(sku) ?? 0;
    if (have < count) throw new types.NotEnough({ sku, have });
    counts.set(sku, have - count);
    return have - count;
  },
  stock(result) {
    result(null, Object.fromEntries(counts));
  },
};

const server = thrift.createServer(Inventory, handler, {
  transport: thrift.TFramedTransport,
  protocol: thrift.TBinaryProtocol,
});
const port = Number(process.env.PORT ?? 9090);
server.listen(port, "127.0.0.1", () => console.log(`the stock server listens on ${port}`));
