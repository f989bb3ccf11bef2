/** A service module with all types, for `sluice call`. */
import { defineService, type ServiceDefinition } from "../../../src/service/define.ts";
import Everything from "./gen/Everything.js";

const service: ServiceDefinition = defineService({
  name: "Everything",
  service: Everything,
  handler: () => ({}) as never,
}) as unknown as ServiceDefinition;

export default service;
