/** What `createClient` takes, with defaults and checks. */
import type { ConnectionOptions } from "node:tls";
import type { Registry } from "prom-client";
import { type Clock, createSystemClock } from "../lifecycle/clock.ts";
import type { ProtocolName } from "../wire/protocol-names.ts";
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
  readonly probe: "call" | "connect";
  readonly maxReplyBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const transports: readonly ClientTransport[] = ["framed", "unframed", "header", "http"];
const protocols: readonly ProtocolName[] = ["binary", "compact", "json"];
const longestMs = 2 ** 31 - 1;

/** @throws {ClientOptionError} that names the option and what it may be */
export function checkOptions(options: ClientOptions, seams: ClientSeams): CheckedOptions {
  const { transport = "framed", protocol = "binary", tls, httpPath = "/" } = options;
  oneOf("transport", transport, transports);
  oneOf("protocol", protocol, protocols);
  const http = transport === "http";
  const probe = options.probe ?? "call";
  oneOf("probe", probe, ["call", "connect"]);
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
    // An HTTP connection is made by a request.
    probe: http ? "call" : probe,
    maxReplyBytes: number("maxReplyBytes", options.maxReplyBytes, 100 * 1024 * 1024, 1, 0x7fffffff),
    clock: seams.clock ?? createSystemClock(),
    random: seams.random ?? Math.random,
  };
}

/** @throws {ClientOptionError} when it is no number from `low` to `high` */
export function number(
  name: string,
  given: number | undefined,
  fallback: number,
  low: number,
  high: number,
): number {
  const value = given ?? fallback;
  if (typeof value === "number" && value >= low && value <= high) return value;
  throw new ClientOptionError(`createClient: "${name}" must be from ${low} to ${high}; got ${value}`);
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new ClientOptionError(
    `createClient: "${name}" must be one of ${allowed.join(", ")}; got ${JSON.stringify(value)}`,
  );
}
