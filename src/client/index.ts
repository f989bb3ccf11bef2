/** The public interface of thrift-sluice/client. */

export type { ProtocolName } from "../wire/protocol-names.ts";
export type { EndpointAddress } from "./address.ts";
export type {
  CallOptions,
  Client,
  ClientControls,
  ClientStats,
  EndpointStats,
  GeneratedClient,
  MethodsOfClient,
} from "./client-types.ts";
export { createClient } from "./create-client.ts";
export type { RetryOptions } from "./dispatcher.ts";
export {
  ApplicationError,
  ArgumentsError,
  type CallTrace,
  ClientError,
  ClientOptionError,
  ClosedError,
  callTrace,
  DeadlineError,
  NotStartedError,
  UnknownOutcomeError,
} from "./errors.ts";
export type { ClientTransport } from "./link.ts";
export type { ClientMethodOptions } from "./method-table.ts";
export type { ClientOptions } from "./options.ts";
export type { DnsEndpoints, Endpoints } from "./resolver.ts";
