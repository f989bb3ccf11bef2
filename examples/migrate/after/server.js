/** The inventory, on Sluice. */
import { setTimeout as sleep } from "node:timers/promises";
import { defineService } from "thrift-sluice";
import Inventory from "../gen/Inventory.js";
import types from "../gen/inventory_types.js";

class Counts {
  #counts = new Map();

  add(sku, count) {
    const now = (this.#counts.get(sku) ?? 0) + count;
    this.#counts.set(sku, now);
    return now;
  }

  /** Takes them if there are enough. Says how many there were. */
  take(sku, count) {
    const have = this.#counts.get(sku) ?? 0;
    if (have >= count) this.#counts.set(sku, have - count);
    return have;
  }

  all() {
    return Object.fromEntries(this.#counts);
  }
}

export default defineService({
  name: "Inventory",
  service: Inventory,
  resources: { counts: { scope: "process", open: () => new Counts() } },
  handler: ({ resources: { counts } }) => ({
    receive(sku, count) {
      return counts.add(sku, count);
    },
    async take(sku, count) {
      await sleep(200); // As long as asking another system takes.
      const have = await counts.take(sku, count);
      if (have < count) throw new types.NotEnough({ sku, have });
      return have - count;
    },
    stock() {
      return counts.all();
    },
  }),
});
