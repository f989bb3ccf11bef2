/** The one table of all server options. Flags, environment, programmatic values, checks and help derive from it. */
import type { OptionSpec } from "./option-kinds.ts";
import type { OptionKey } from "./serve-options.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
/** The largest size that the Thrift frame header can tell. */
const largestMessage = 2 * GiB - 1;

const pemFile: Pick<OptionSpec & { kind: "text" }, "kind" | "fallback" | "placeholder" | "form" | "accepts"> =
  {
    kind: "text",
    fallback: undefined,
    placeholder: "FILE",
    form: "the path of a PEM file",
    accepts: (text) => text !== "" && !text.includes("\0"),
  };

const address: Pick<OptionSpec & { kind: "text" }, "kind" | "placeholder" | "form" | "accepts"> = {
  kind: "text",
  placeholder: "ADDRESS",
  form: "an IP address or host name such as 127.0.0.1, 0.0.0.0 or ::1",
  accepts: (text) => /^[\w.:%-]+$/.test(text),
};

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** All options by key. The order is the order of `--help`. */
export const options: Readonly<Record<OptionKey, OptionSpec>> = {
  host: { ...address, fallback: "127.0.0.1", help: "the address that Thrift clients connect to" },
  port: { kind: "count", fallback: 9090, min: 0, max: 65_535, help: "their port; 0 picks a free one" },
  socket: {
    kind: "text",
    fallback: undefined,
    placeholder: "PATH",
    // The kernel keeps the path in 108 bytes with its closing zero; macOS in 104.
    form: "a path of at most 103 bytes for a Unix domain socket",
    accepts: (text) => text !== "" && !text.includes("\0") && Buffer.byteLength(text) <= 103,
    help: "listen on this Unix domain socket instead of host and port",
  },
  socketMode: {
    kind: "text",
    fallback: "660",
    placeholder: "MODE",
    form: "three octal digits such as 660 or 600",
    accepts: (text) => /^0?[0-7]{3}$/.test(text),
    help: "who may connect to the Unix domain socket, as file permissions",
  },
  adminHost: { ...address, fallback: "127.0.0.1", help: "the address of the admin port (HTTP)" },
  adminPort: {
    kind: "count",
    fallback: 9091,
    min: 0,
    max: 65_535,
    help: "the admin port; 0 picks a free one",
  },
  adminToken: {
    kind: "text",
    fallback: undefined,
    placeholder: "TOKEN",
    form: "8 to 1024 printable ASCII characters without spaces",
    accepts: (text) => /^[\x21-\x7e]{8,1024}$/.test(text),
    secret: true,
    help: "the bearer token that POST needs; without one, POST is for loopback only",
  },

  tlsCert: {
    ...pemFile,
    help: "the certificate and its chain; with it, clients may speak TLS on the same port",
  },
  tlsKey: { ...pemFile, help: "the certificate's private key" },
  tlsCa: { ...pemFile, help: "mutual TLS: clients need a certificate that one of these signed" },
  tlsMinVersion: {
    kind: "choice",
    fallback: "TLSv1.2",
    choices: ["TLSv1.2", "TLSv1.3"],
    help: "the oldest version of TLS that is spoken",
  },
  plaintext: {
    kind: "choice",
    fallback: undefined,
    defaultText: "allow, with tlsCa refuse",
    choices: ["allow", "refuse"],
    help: "whether clients may go without TLS where it is configured",
  },
  origins: {
    kind: "text",
    fallback: undefined,
    defaultText: "the server's own",
    placeholder: "ORIGIN,…",
    form: "web origins such as https://example.com, with commas between them, or * for all",
    accepts: (text) => text.split(",").every((origin) => origin === "*" || isOrigin(origin)),
    help: "pages of these origins may call by HTTP and WebSocket",
  },

  store: {
    kind: "text",
    fallback: "sqlite:./data/ledger.db",
    placeholder: "URL",
    form: "sqlite:PATH or postgres://USER@HOST/DATABASE",
    accepts: (text) => /^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(text),
    help: "the reference ledger's store: sqlite:PATH or postgres://…",
  },
  storeTimeout: {
    kind: "duration",
    fallback: 5 * second,
    min: 100,
    max: hour,
    help: "how long a call may wait for the ledger's PostgreSQL",
  },
  flushInterval: {
    kind: "duration",
    fallback: second,
    min: 10,
    max: hour,
    help: "how long the ledger may hold back what was tracked",
  },
  workers: {
    kind: "count",
    fallback: undefined,
    defaultText: "cores within the CPU quota, at least 2",
    min: 1,
    max: 512,
    help: "worker threads",
  },
  replyOrder: {
    kind: "choice",
    fallback: "request",
    choices: ["request", "any"],
    help: "replies leave a connection in request order, or as soon as any is ready",
  },

  grace: {
    kind: "duration",
    fallback: 9 * second,
    min: 100,
    max: 24 * hour,
    help: "the whole stop, from the request to stop to the exit",
  },
  lameDuck: {
    kind: "duration",
    fallback: 0,
    min: 0,
    max: 24 * hour,
    help: "first stay up but unready for so long, so that load balancers leave",
  },
  quiet: {
    kind: "duration",
    fallback: 100,
    min: 0,
    max: hour,
    help: "how long a connection must be silent before it is closed in a drain",
  },
  busyClose: {
    kind: "duration",
    fallback: second,
    min: 0,
    max: hour,
    help: "when a connection that is never silent is closed in a drain",
  },
  reserve: {
    kind: "duration",
    fallback: 2 * second,
    min: 0,
    max: hour,
    help: "the part of grace kept for flush and close, whatever the calls do",
  },
  callGrace: {
    kind: "duration",
    fallback: undefined,
    defaultText: "all that grace leaves",
    off: "zero-is-a-value",
    min: 0,
    max: 24 * hour,
    help: "how long unprotected calls may run on in a drain",
  },
  startTimeout: {
    kind: "duration",
    fallback: minute,
    min: 100,
    max: 24 * hour,
    help: "how long a start may take",
  },
  hup: {
    kind: "choice",
    fallback: undefined,
    defaultText: "drain with a controlling terminal, else reload",
    choices: ["reload", "drain", "ignore"],
    help: "what SIGHUP does; reload: not of code",
  },
  maxSignals: { kind: "count", fallback: 3, min: 2, max: 100, help: "the signal to stop that exits at once" },
  fb303Shutdown: { kind: "flag", fallback: false, help: "whether fb303's shutdown starts a drain" },

  maxFrameSize: {
    kind: "size",
    fallback: 16_384_000,
    defaultText: "16384000",
    min: 64,
    max: largestMessage,
    help: "the largest frame",
  },
  maxMessageSize: {
    kind: "size",
    fallback: 100 * MiB,
    min: 64,
    max: largestMessage,
    help: "the largest message, unframed ones included",
  },
  recursionLimit: {
    kind: "count",
    fallback: 64,
    min: 1,
    max: 512,
    help: "how deeply structs and containers of a message may nest",
  },
  maxContainerElements: {
    kind: "count",
    fallback: 1_000_000,
    min: 1,
    max: 100_000_000,
    help: "elements of all containers of a message together",
  },
  maxConnections: {
    kind: "count",
    fallback: 10_000,
    min: 1,
    max: 1_000_000,
    help: "open connections of Thrift clients",
  },
  maxInFlight: {
    kind: "count",
    fallback: 10_000,
    min: 1,
    max: 1_000_000,
    help: "calls without an outcome, in all; more are refused",
  },
  maxInFlightPerConnection: {
    kind: "count",
    fallback: 1024,
    min: 1,
    max: 1_000_000,
    help: "the same on one connection; then reading from it pauses",
  },
  maxBuffered: {
    kind: "size",
    fallback: 512 * MiB,
    min: MiB,
    max: 1024 * GiB,
    help: "what all connections together may hold; above it the largest ends",
  },
  writeHighWater: {
    kind: "size",
    fallback: MiB,
    min: KiB,
    max: GiB,
    help: "unwritten reply bytes of a connection; then reading from it pauses",
  },
  writeTimeout: {
    kind: "duration",
    fallback: 30 * second,
    off: "zero-is-off",
    min: 100,
    max: 24 * hour,
    help: "how long a reply may wait for its reader before the connection is closed",
  },
  idleTimeout: {
    kind: "duration",
    // As Apache's servers: their clients keep a connection for hours and do not open a new one by themselves.
    fallback: undefined,
    off: "zero-is-off",
    min: 100,
    max: 168 * hour,
    help: "how long a connection may stay without a call",
  },
  partialFrameTimeout: {
    kind: "duration",
    fallback: 10 * second,
    off: "zero-is-off",
    min: 10,
    max: hour,
    help: "how long the rest of a message may take to arrive",
  },
  tlsHandshakeTimeout: {
    kind: "duration",
    fallback: 10 * second,
    min: 100,
    max: hour,
    help: "how long a TLS handshake may take",
  },
  maxConnectionAge: {
    kind: "duration",
    fallback: undefined,
    off: "zero-is-off",
    min: second,
    max: 168 * hour,
    help: "when a connection is asked to leave as in a drain, with jitter",
  },
  workerMemory: {
    kind: "size",
    fallback: undefined,
    off: "zero-is-off",
    min: 32 * MiB,
    max: 1024 * GiB,
    help: "the memory above which a worker is drained and replaced",
  },

  exposeErrors: {
    kind: "flag",
    fallback: false,
    help: "whether clients see the text of errors that handlers throw undeclared",
  },
  accessLog: {
    kind: "flag",
    fallback: false,
    help: "whether the log has a line for every call",
  },
  logLevel: {
    kind: "choice",
    fallback: "info",
    choices: ["debug", "info", "warn", "error"],
    help: "the least severe log lines; listening, draining and stopped are always written",
  },
  logFormat: {
    kind: "choice",
    fallback: undefined,
    defaultText: "pretty on a terminal, else json",
    choices: ["json", "pretty"],
    help: "how log lines look",
  },
};

/** The groups of `--help`: each begins at this key. */
export const optionGroups: Readonly<Partial<Record<OptionKey, string>>> = {
  host: "Where to listen",
  tlsCert: "TLS, and web pages",
  store: "Work",
  grace: "Start and stop (lame-duck + quiet + reserve must be less than grace)",
  maxFrameSize: "Limits",
  exposeErrors: "What is shown",
};

/** The flag of a key: `adminPort` is `--admin-port`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The environment variable of a key: `adminPort` is `SLUICE_ADMIN_PORT`. */
export function environmentName(key: string): string {
  return `SLUICE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
