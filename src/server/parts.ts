/** The parts of a running server, put together. Who does what with them: `start.ts`, `stop.ts`. */
import { type AdminServer, createAdminServer } from "../admin/admin-server.ts";
import { createFb303 } from "../admin/fb303.ts";
import type { AdminSource } from "../admin/source.ts";
import type { Call } from "../calls/call.ts";
import { CallLedger } from "../calls/call-ledger.ts";
import { CallDesk } from "../calls/desk.ts";
import type { Config } from "../config/config.ts";
import { readTlsFiles } from "../config/tls-files.ts";
import { hasSeveralCores } from "../config/worker-count.ts";
import type { Clock } from "../lifecycle/clock.ts";
import type { ServerLog } from "../log/log.ts";
import { limitRate } from "../log/rate-limit.ts";
import { Acceptor, type ListenTarget } from "../net/acceptor.ts";
import { Connections } from "../net/connections.ts";
import { TlsEndpoint } from "../net/tls-endpoint.ts";
import { LanePool } from "../pool/lane-pool.ts";
import type { LogFunction } from "../service/define.ts";
import type { StateThread } from "../state/state-thread.ts";
import type { WorkerExtra } from "../worker/entry.ts";
import { createAccessLog } from "./access-log.ts";
import type { InheritedListeners } from "./inherited.ts";
import { LocalCalls } from "./local-calls.ts";

/** What the parts are made of. */
export interface PartsOptions {
  readonly modules: readonly string[];
  readonly config: Config;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** What the admin port and fb303 read; its functions are called once the parts are there. */
  readonly adminSource: AdminSource;
  readonly reload: () => Promise<void>;
  readonly inherited: InheritedListeners;
}

/** The parts that exist from the first moment on. The admin server and the state thread come with the start. */
export interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly ledger: CallLedger;
  readonly desk: CallDesk;
  readonly connections: Connections;
  readonly acceptor: Acceptor;
  /** Undefined when TLS is not configured. */
  readonly tls: TlsEndpoint | undefined;
  readonly local: LocalCalls;
  readonly pool: LanePool;
  readonly listenAt: ListenTarget;
  /** Aborts when the server stops without a state thread: a start of it that is under way is given up. */
  readonly stateStart: AbortController;
  admin: AdminServer | undefined;
  state: StateThread | undefined;
}

/** Log lines about refused connections of one kind. */
const refusalRate = { burst: 10, intervalMs: 10_000 } as const;

/** Makes the parts; workers begin to load their modules. */
export function createParts(options: PartsOptions): Parts {
  const { config, clock, log } = options;
  const write: LogFunction = (level, message, fields) => log[level](message, fields);
  const refusal = limitRate((level, message, fields) => log[level](message, fields), {
    ...refusalRate,
    now: clock.now,
  });
  const ledger = new CallLedger();
  if (config.accessLog) ledger.onSettled = createAccessLog(log);
  const fb303 = createFb303(options.adminSource, {
    allowShutdown: config.fb303Shutdown,
    reload: options.reload,
  });
  const local = new LocalCalls(fb303, config, write);
  const desk = new CallDesk({
    ledger,
    now: clock.now,
    setTimer: (atMs, fire) => clock.setTimer(atMs, fire),
    encodeException: local.encodeException,
    answerLocally: (method, replyForm, message) =>
      local.answer(method, method.index - firstLocalIndex(desk), replyForm, message),
    maxInFlight: config.maxInFlight,
    maxBufferedBytes: config.maxBufferedBytes,
    overdue: (call) =>
      write("warn", "a call's deadline has passed while its handler ran", describeCall(call)),
  });
  const tls = createTls(config);
  const connections = new Connections({ ...config, tls, desk, clock, limits: config, log: refusal });
  const { maxConnections } = config;
  const acceptor = new Acceptor(
    (socket) => connections.accept(socket),
    maxConnections,
    () =>
      refusal("warn", "a connection is refused: there are as many as may be", {
        kind: "max-connections",
        maxConnections,
      }),
  );
  const pool = new LanePool({
    workers: config.workers,
    workerFile: workerFile(),
    modules: options.modules,
    settings: config.settings,
    workerMemoryBytes: config.workerMemoryBytes,
    callPatienceMs: config.graceMs - config.reserveMs,
    clock,
    mayWatch: hasSeveralCores(),
    listener: desk,
    log: write,
    extra: {
      recursionLimit: config.recursionLimit,
      maxContainerElements: config.maxContainerElements,
      exposeErrors: config.exposeErrors,
      watchMemory: config.workerMemoryBytes !== undefined,
      longestProtectionMs: config.graceMs - config.reserveMs,
    } satisfies WorkerExtra,
  });
  const listenAt = listenTarget(config, options.inherited);
  return {
    config,
    clock,
    log,
    ledger,
    desk,
    connections,
    acceptor,
    tls,
    local,
    pool,
    listenAt,
    stateStart: new AbortController(),
    admin: undefined,
    state: undefined,
  };
}

function describeCall({ method, seqid, caller, lane }: Call): Record<string, unknown> {
  return { method: `${method!.service}.${method!.name}`, seqid, peer: caller!.peer, worker: lane };
}

/** The admin port opens before anything else can take time. */
export function openAdmin(config: Config, source: AdminSource, fd: number | undefined): Promise<AdminServer> {
  return createAdminServer(source, {
    host: config.adminHost,
    port: config.adminPort,
    fd,
    ...(config.adminToken === undefined ? {} : { token: config.adminToken }),
  });
}

function createTls({ tls, tlsHandshakeTimeoutMs }: Config): TlsEndpoint | undefined {
  if (tls === undefined) return undefined;
  const { minVersion } = tls;
  return new TlsEndpoint({
    load: () => readTlsFiles(tls),
    minVersion,
    handshakeTimeoutMs: tlsHandshakeTimeoutMs,
  });
}

/** fb303's methods come last in the table. */
function firstLocalIndex(desk: CallDesk): number {
  return desk.methods.findIndex(({ runs }) => runs === "main");
}

/** `new URL` is not rewritten when this file is built, so the extension is taken from the file itself. */
function workerFile(): string {
  const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
  return new URL(`../worker/entry.${extension}`, import.meta.url).href;
}

/** Where to listen: an inherited descriptor wins over all. */
function listenTarget(
  { host, port, socket, socketMode }: Config,
  { thrift }: InheritedListeners,
): ListenTarget {
  if (thrift !== undefined) return { kind: "inherited", fd: thrift };
  return socket === undefined
    ? { kind: "tcp", host, port }
    : { kind: "unix", path: socket, mode: socketMode };
}
