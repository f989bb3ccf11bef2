/** What `createClient` takes, with defaults and checks. */
import type { ConnectionOptions } from "node:tls";
import type { Registry } from "prom-client";
import { type Clock, createSystemClock } from "../lifecycle/clock.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
import { checkPath, checkTls, number, oneOf, onlyFields } from "./checks.ts";
import type { RetryOptions } from "./dispatcher.ts";
import { ClientOptionError } from "./errors.ts";
import type { ClientTransport } from "./link.ts";
import type { ClientMethodOptions } from "./method-table.ts";
import type { Endpoints } from "./resolver.ts";

/** Options of a client whose service has the methods `M`. */
export interface ClientOptions<M extends PropertyKey = string> {
  /** Where the servers are. */
  readonly endpoints: Endpoints;
  /** How often a DNS name or a function is asked for endpoints, in ms. Default 10,000. */
  readonly refreshMs?: number;
  /**
   * How messages travel. Default `framed`. Over `header` a Sluice server says that it leaves before it closes, and
   * learns of deadlines.
   */
  readonly transport?: ClientTransport;
  /** How values are encoded. Default `binary`. */
  readonly protocol?: ProtocolName;
  /** The service's name on a server of several: calls are sent as `name:method`. Default: none, plain calls. */
  readonly service?: string;
  /** TLS, with Node's options; true for Node's defaults. Default: no TLS. */
  readonly tls?: ConnectionOptions | true;
  /** The path that calls are posted to over HTTP. Default `/`. */
  readonly httpPath?: string;
  /** How long a call may take in all, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long a connection may take to be made, in ms. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /** Connections to one endpoint. Default 2; over HTTP, where each has one call at a time, 64. */
  readonly connections?: number;
  /** Options by method. Default: those of ClientMethodOptions for each. */
  readonly methods?: { readonly [K in M]?: ClientMethodOptions };
  /** How calls are repeated. Default: as in RetryOptions. */
  readonly retries?: RetryOptions;
  /** When a server that owes answers and sends nothing is asked whether it still runs, in ms. Default 1,000. */
  readonly stallMs?: number;
  /**
   * How long an endpoint that has come back, or joined others, gets few calls at a time, in ms: one at first, one more
   * with each answer. Others get the rest. 0: it may have all at once. Default 1,000.
   */
  readonly slowStartMs?: number;
  /**
   * What an endpoint must do to get calls again: answer fb303's `getStatus` (an exception is an answer), or only take
   * a connection. Default `call`.
   */
  readonly probe?: "call" | "connect";
  /** The largest reply, in bytes. Default 100 MiB. */
  readonly maxReplyBytes?: number;
  /** The prom-client registry that gets the client's metrics; `close` takes them out again. Default: none. */
  readonly metrics?: Registry;
  /** The label `client` of its metrics. Default `default`. */
  readonly name?: string;
}

/** For tests: what is otherwise the process's own. */
export interface ClientSeams {
  readonly clock?: Clock;
  /** 0 ≤ random() < 1. */
  readonly random?: () => number;
}

/** The options with their defaults. */
export interface CheckedOptions {
  readonly transport: ClientTransport;
  readonly protocol: ProtocolName;
  readonly tls: ConnectionOptions | undefined;
  readonly httpPath: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connections: number;
  readonly refreshMs: number;
  readonly stallMs: number;
  readonly slowStartMs: number;
  readonly probe: "call" | "connect";
  readonly maxReplyBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const transports: readonly ClientTransport[] = ["framed", "unframed", "header", "http"];
const protocols: readonly ProtocolName[] = ["binary", "compact", "json"];
const longestMs = 2 ** 31 - 1;

const optionNames: readonly string[] = Object.keys({
  endpoints: 0,
  refreshMs: 0,
  transport: 0,
  protocol: 0,
  service: 0,
  tls: 0,
  httpPath: 0,
  timeoutMs: 0,
  connectTimeoutMs: 0,
  connections: 0,
  methods: 0,
  retries: 0,
  stallMs: 0,
  slowStartMs: 0,
  probe: 0,
  maxReplyBytes: 0,
  metrics: 0,
  name: 0,
} satisfies Record<keyof ClientOptions, 0>);
const retryNames: readonly string[] = Object.keys({
  share: 0,
  perSecond: 0,
  most: 0,
  unknownAttempts: 0,
} satisfies Record<keyof RetryOptions, 0>);
const methodOptionNames: readonly string[] = Object.keys({
  idempotent: 0,
  timeoutMs: 0,
} satisfies Record<keyof ClientMethodOptions, 0>);

/** @throws {ClientOptionError} that names the option and what it may be */
export function checkOptions(options: ClientOptions, seams: ClientSeams): CheckedOptions {
  onlyFields("", options, optionNames);
  checkNames(options);
  const { transport = "framed", protocol = "binary", tls, httpPath = "/" } = options;
  oneOf("transport", transport, transports);
  oneOf("protocol", protocol, protocols);
  const http = transport === "http";
  const probe = options.probe ?? "call";
  oneOf("probe", probe, ["call", "connect"]);
  checkTls(tls);
  checkPath(httpPath);
  return {
    transport,
    protocol,
    tls: tls === true ? {} : tls,
    httpPath,
    timeoutMs: number("timeoutMs", options.timeoutMs, 10_000, 1, longestMs),
    connectTimeoutMs: number("connectTimeoutMs", options.connectTimeoutMs, 2000, 1, longestMs),
    connections: number("connections", options.connections, http ? 64 : 2, 1, 10_000),
    refreshMs: number("refreshMs", options.refreshMs, 10_000, 10, longestMs),
    stallMs: number("stallMs", options.stallMs, 1000, 10, longestMs),
    slowStartMs: number("slowStartMs", options.slowStartMs, 1000, 0, longestMs),
    // An HTTP connection is made by a request.
    probe: http ? "call" : probe,
    maxReplyBytes: number("maxReplyBytes", options.maxReplyBytes, 100 * 1024 * 1024, 1, 0x7fffffff),
    clock: seams.clock ?? createSystemClock(),
    random: seams.random ?? Math.random,
  };
}

/** @throws {ClientOptionError} */
function checkNames({ endpoints, methods = {}, retries = {} }: ClientOptions): void {
  onlyFields("retries", retries, retryNames);
  for (const [name, method] of Object.entries(methods)) {
    if (method === undefined) continue;
    onlyFields(`methods.${name}`, method, methodOptionNames);
    number(`methods.${name}.timeoutMs`, method.timeoutMs, 1, 1, longestMs);
  }
  for (const name of retryNames) number(`retries.${name}`, retries[name as keyof RetryOptions], 1, 0, 1e9);
  if (endpoints === undefined || endpoints === null) {
    throw new ClientOptionError(
      `createClient: "endpoints" is missing; give "host:port", a list of these, { dns, port } or a function`,
    );
  }
}
