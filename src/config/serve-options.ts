/** The options of `serve()`, as a program gives them. */

/** A length of time: a number of ms, or a text with its unit such as `"100ms"`, `"9s"`, `"1m"`. */
export type Duration = number | string;

/** An amount of memory: a number of bytes, or a text such as `"64KiB"`, `"16MiB"`, `"100MB"`. */
export type Size = number | string;

/**
 * Options of `serve()`. Each of the first groups can also be given as an environment variable
 * (`adminPort`: `SLUICE_ADMIN_PORT`) and on the command line (`--admin-port`); what a program gives wins over
 * the environment, the environment over the default.
 */
export interface ServeOptions
  extends ListenOptions,
    TlsOptions,
    WorkOptions,
    StopOptions,
    LimitOptions,
    ShownOptions {
  /**
   * Whether the server acts on SIGTERM, SIGINT, SIGQUIT and SIGHUP, and tells systemd how it lives (`NOTIFY_SOCKET`).
   * Default: false.
   */
  readonly signals?: boolean;
  /** Texts that handlers and resources see as `ctx.settings`. The option `store` is among them. Default: none. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called when all resources are closed, as the last step of a stop; the deadline holds for it too. Default: none. */
  readonly beforeExit?: () => void | Promise<void>;
  /** Called on SIGHUP when `hup` is reload, after the service's own `reload`. Default: none. */
  readonly onHup?: () => void | Promise<void>;
}

/** Where the server is found. */
export interface ListenOptions {
  /** The address that Thrift clients connect to. Default: 127.0.0.1. */
  readonly host?: string;
  /** The port that Thrift clients connect to; 0 picks a free one. Default: 9090. */
  readonly port?: number | string;
  /** The path of a Unix domain socket to listen on, instead of host and port. Default: none. */
  readonly socket?: string;
  /** Who may connect to it, as file permissions in octal digits. Default: 660. */
  readonly socketMode?: string;
  /** The address of the admin port. Default: 127.0.0.1. */
  readonly adminHost?: string;
  /** The admin port (HTTP); 0 picks a free one. Default: 9091. */
  readonly adminPort?: number | string;
  /** The bearer token that POST to the admin port needs; without one, POST is for loopback only. Default: none. */
  readonly adminToken?: string;
}

/** TLS on the port of Thrift clients, and which web pages may call. SIGHUP reads the files again. */
export interface TlsOptions {
  /** The file of the certificate and its chain, as PEM. Default: none. */
  readonly tlsCert?: string;
  /** The file of its private key, as PEM; needed with `tlsCert`. Default: none. */
  readonly tlsKey?: string;
  /** A file of CA certificates, as PEM: clients need a certificate that one of them signed. Default: none. */
  readonly tlsCa?: string;
  /** The oldest version of TLS that is spoken. Default: TLSv1.2. */
  readonly tlsMinVersion?: "TLSv1.2" | "TLSv1.3";
  /** Whether clients may go without TLS where it is configured. Default: allow, with tlsCa refuse. */
  readonly plaintext?: "allow" | "refuse";
  /** Web origins, with commas between them, whose pages may call; `*` for all. Default: the server's own. */
  readonly origins?: string;
}

/** How calls are worked on. */
export interface WorkOptions {
  /** The reference ledger's store: `sqlite:PATH` or `postgres://…`. Default: sqlite:./data/ledger.db. */
  readonly store?: string;
  /** How long a call may wait for the ledger's database when that is elsewhere. Default: 5s. */
  readonly storeTimeout?: Duration;
  /** How long the ledger may hold back its counters; a SIGKILL may lose so much of `track`. Default: 1s. */
  readonly flushInterval?: Duration;
  /** Worker threads. Default: the cores within the CPU quota, at least 2. */
  readonly workers?: number | string;
  /** The order in which replies leave a connection. Default: request. */
  readonly replyOrder?: "request" | "any";
}

/** How the server starts and stops. `lameDuck + quiet + reserve` must be less than `grace`. */
export interface StopOptions {
  /** The whole stop, from the first request to stop until the exit. Default: 9s. */
  readonly grace?: Duration;
  /** How long to stay up but unready before draining, so that load balancers leave. Default: 0s. */
  readonly lameDuck?: Duration;
  /** How long a connection must be silent before it is closed in a drain. Default: 100ms. */
  readonly quiet?: Duration;
  /** When a connection that is never silent is closed in a drain. Default: 1s. */
  readonly busyClose?: Duration;
  /** The part of `grace` that is kept for flush and close, whatever the calls do. Default: 2s. */
  readonly reserve?: Duration;
  /** How long unprotected calls may run on in a drain. Default: all that grace leaves. */
  readonly callGrace?: Duration;
  /** How long a start may take. Default: 1m. */
  readonly startTimeout?: Duration;
  /** What SIGHUP does. Default: drain with a controlling terminal, else reload. */
  readonly hup?: "reload" | "drain" | "ignore";
  /** The signal that exits at once, counted from the first that asks to stop. Default: 3. */
  readonly maxSignals?: number | string;
  /** Whether fb303's `shutdown` starts a drain. Default: false. */
  readonly fb303Shutdown?: boolean | string;
}

/** What one client, one message and all of them together may take. */
export interface LimitOptions {
  /** The largest frame. Default: 16384000 bytes. */
  readonly maxFrameSize?: Size;
  /** The largest message, unframed ones included. Default: 100MiB. */
  readonly maxMessageSize?: Size;
  /** How deeply structs and containers of a message may nest. Default: 64. */
  readonly recursionLimit?: number | string;
  /** How many elements all containers of a message may have together. Default: 1000000. */
  readonly maxContainerElements?: number | string;
  /** Open connections of Thrift clients. Default: 10000. */
  readonly maxConnections?: number | string;
  /** Calls without an outcome, in all; more are refused. Default: 10000. */
  readonly maxInFlight?: number | string;
  /** Calls without an outcome on one connection; then reading from it pauses. Default: 1024. */
  readonly maxInFlightPerConnection?: number | string;
  /** What all connections together may hold; above it the largest ends. As much again for calls. Default: 512MiB. */
  readonly maxBuffered?: Size;
  /** Unwritten reply bytes of one connection; then reading from it pauses. Default: 1MiB. */
  readonly writeHighWater?: Size;
  /** How long a reply may wait for its reader before the connection is closed; 0: for ever. Default: 30s. */
  readonly writeTimeout?: Duration;
  /** How long a connection may stay without a call before it is closed; 0: for ever. Default: off. */
  readonly idleTimeout?: Duration;
  /** How long the rest of a message may take to arrive once it has begun; 0: for ever. Default: 10s. */
  readonly partialFrameTimeout?: Duration;
  /** How long a TLS handshake may take. Default: 10s. */
  readonly tlsHandshakeTimeout?: Duration;
  /** When a connection is asked to leave as in a drain, with jitter; 0: never. Default: off. */
  readonly maxConnectionAge?: Duration;
  /** The memory above which a worker is drained and replaced; 0: no limit. Default: off. */
  readonly workerMemory?: Size;
}

/** What is shown to clients and in the log. */
export interface ShownOptions {
  /** Whether clients see the text of errors that handlers throw undeclared. Default: false. */
  readonly exposeErrors?: boolean | string;
  /** Whether the log has a line for every call. Default: false. */
  readonly accessLog?: boolean | string;
  /** The least severe log lines that are written; the contract's lines always are. Default: info. */
  readonly logLevel?: "debug" | "info" | "warn" | "error";
  /** How log lines look. Default: pretty on a terminal, else json. */
  readonly logFormat?: "json" | "pretty";
}

/** The keys that have a flag and an environment variable: all but what only a program can give. */
export type OptionKey = Exclude<keyof ServeOptions, "signals" | "settings" | "beforeExit" | "onHup">;

/** The keys that only a program can give. */
export const programmaticKeys: readonly Exclude<keyof ServeOptions, OptionKey>[] = [
  "signals",
  "settings",
  "beforeExit",
  "onHup",
];
