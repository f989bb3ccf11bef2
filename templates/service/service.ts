import { defineService } from "thrift-sluice";
import * as ServiceName from "./gen/ServiceName.js";
import { DivisionError } from "./gen/service_name_types.js";

export default defineService({
  name: "ServiceName",
  service: ServiceName,
  // Made once in every worker thread, before it takes calls. Methods may be asynchronous.
  handler: () => ({
    add: (a, b) => a + b,

    divide(dividend, divisor) {
      if (divisor === 0) throw new DivisionError({ message: "the divisor is 0" });
      return dividend / divisor;
    },
  }),
});
