/** The public interface of thrift-sluice. */
export type { CallTotals } from "./calls/call-ledger.ts";
export type { CutCall } from "./calls/desk.ts";
export type { Outcome, OutcomeCounts } from "./calls/outcome.ts";
export { OptionError } from "./config/option-error.ts";
export type {
  Duration,
  LimitOptions,
  ListenOptions,
  ServeOptions,
  ShownOptions,
  Size,
  StopOptions,
  TlsOptions,
  WorkOptions,
} from "./config/serve-options.ts";
export { UndrainedError, type UndrainRefusal, UndrainRefusedError } from "./lifecycle/errors.ts";
export type { StopOutcome } from "./lifecycle/outcome.ts";
export type { PhaseName } from "./lifecycle/phases.ts";
export { ProtectionDeniedError } from "./lifecycle/protection.ts";
export type { DrainPlan, DrainReport, WaitedCall } from "./server/report.ts";
export { serve } from "./server/serve.ts";
export type { Server, ServerAddresses } from "./server/server.ts";
export { ServiceDefinitionError } from "./service/check-definition.ts";
export {
  CallAbortedError,
  CallBrokenError,
  type CurrentCall,
  currentCall,
  NoCurrentCallError,
  type PeerCertificate,
  type ProtectedSection,
} from "./service/current-call.ts";
export {
  defineService,
  type GeneratedService,
  type LogFunction,
  type ServiceContext,
  type ServiceDefinition,
} from "./service/define.ts";
export type { Encodable, HandlerOf, I64, MethodOptions } from "./service/handler-types.ts";
export type {
  CopyOf,
  Openable,
  ProcessResource,
  RemoteOf,
  ResourceContext,
  ResourceDefinitions,
  ResourcesOf,
  WorkerResource,
  WrittenResource,
} from "./service/resource-types.ts";
