/** A client of the npm package. It knows nothing of what the server is made of. */
import { once } from "node:events";
import thrift from "thrift";
import Inventory from "./gen/Inventory.js";
import types from "./gen/inventory_types.js";

const connection = thrift.createConnection("127.0.0.1", Number(process.env.PORT ?? 9090), {
  transport: thrift.TFramedTransport,
  protocol: thrift.TBinaryProtocol,
});
await once(connection, "connect");
const client = thrift.createClient(Inventory, connection);

console.log("receive 5 apples:", await client.receive("apple", 5));
console.log("receive 2 pears:", await client.receive("pear", 2));
console.log("take 3 apples:", await client.take("apple", 3));
const asked = [client.take("pear", 1), client.take("apple", 3), client.receive("plum", 1)];
const [pears, apples, plums] = await Promise.allSettled(asked);
console.log("at once, take 1 pear:", pears.value);
const { reason } = apples;
console.log("at once, take 3 apples:", reason instanceof types.NotEnough, reason.sku, reason.have);
console.log("at once, receive 1 plum:", plums.value);
console.log("stock:", await client.stock());
connection.end();
