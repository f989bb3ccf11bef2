/** From options as they were given to the values that the server runs by. */

import { hasControllingTerminal } from "./controlling-terminal.ts";
import { OptionError } from "./option-error.ts";
import { showDuration } from "./option-kinds.ts";
import { options } from "./options.ts";
import { type Naming, readOptions } from "./read-options.ts";
import { programmaticKeys, type ServeOptions } from "./serve-options.ts";
import { resolvePlaintext, resolveTls, type TlsFiles } from "./tls-files.ts";
import { workersOfThisMachine } from "./worker-count.ts";

/** The resolved options. Undefined means that there is no such limit. */
export interface Config {
  readonly host: string;
  /** 0: pick a free one. */
  readonly port: number;
  /** When given, listened on instead of host and port. */
  readonly socket: string | undefined;
  /** The permissions of its file. */
  readonly socketMode: number;
  /** Undefined: TLS is not spoken. */
  readonly tls: TlsFiles | undefined;
  readonly plaintext: "allow" | "refuse";
  readonly origins: readonly string[];
  readonly adminHost: string;
  readonly adminPort: number;
  /** A secret: not to be shown anywhere. */
  readonly adminToken: string | undefined;

  readonly workers: number;
  readonly replyOrder: "request" | "any";
  /** What handlers and resources see as `ctx.settings`; `store`, `storeTimeout` and `flushInterval` (ms) are always there. */
  readonly settings: Readonly<Record<string, string>>;

  /** The whole stop, from the first request to stop to the exit. */
  readonly graceMs: number;
  readonly lameDuckMs: number;
  readonly quietMs: number;
  readonly busyCloseMs: number;
  readonly reserveMs: number;
  /** Undefined: all that grace leaves. */
  readonly callGraceMs: number | undefined;
  readonly startTimeoutMs: number;
  readonly signals: boolean;
  readonly hup: "reload" | "drain" | "ignore";
  readonly maxSignals: number;
  readonly fb303Shutdown: boolean;
  readonly beforeExit: (() => void | Promise<void>) | undefined;
  readonly onHup: (() => void | Promise<void>) | undefined;

  readonly maxFrameSizeBytes: number;
  readonly maxMessageSizeBytes: number;
  readonly recursionLimit: number;
  readonly maxContainerElements: number;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  readonly maxInFlightPerConnection: number;
  readonly maxBufferedBytes: number;
  readonly writeHighWaterBytes: number;
  readonly writeTimeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly partialFrameTimeoutMs: number | undefined;
  readonly tlsHandshakeTimeoutMs: number;
  readonly maxConnectionAgeMs: number | undefined;
  readonly workerMemoryBytes: number | undefined;

  readonly exposeErrors: boolean;
  readonly accessLog: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Undefined: pretty when stdout is a terminal, else JSON lines. */
  readonly logFormat: "json" | "pretty" | undefined;
}

/** What the defaults depend on. */
export interface Surroundings {
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How the user wrote what is in `given`: as flags or as keys. For errors. Default: keys. */
  readonly naming?: Naming;
  /** The default of `workers`. Default: measured. */
  readonly workers?: () => number;
  /** Whether the process has a controlling terminal: the default of `hup`. Default: measured. */
  readonly controllingTerminal?: () => boolean;
}

/**
 * Checks all options and fills in the defaults; what is given wins over the environment.
 *
 * @throws {OptionError} for the first option that is unknown, malformed, out of range or at odds with another
 */
export function resolveConfig(given: ServeOptions, surroundings: Surroundings): Config {
  const { env, naming = "key" } = surroundings;
  const read = readOptions(options, given, { env, naming, alsoAllowed: programmaticKeys });
  checkProgrammatic(given);
  const config: Config = {
    host: read.text("host"),
    port: read.number("port"),
    socket: read.optionalText("socket"),
    socketMode: Number.parseInt(read.text("socketMode"), 8),
    tls: resolveTls(read),
    plaintext: resolvePlaintext(read),
    origins: read.optionalText("origins")?.split(",") ?? [],
    adminHost: read.text("adminHost"),
    adminPort: read.number("adminPort"),
    adminToken: read.optionalText("adminToken"),

    workers: read.optionalNumber("workers") ?? (surroundings.workers ?? workersOfThisMachine)(),
    replyOrder: read.text("replyOrder") as Config["replyOrder"],
    settings: resolveSettings(given, {
      store: read.text("store"),
      storeTimeout: String(read.number("storeTimeout")),
      flushInterval: String(read.number("flushInterval")),
    }),

    graceMs: read.number("grace"),
    lameDuckMs: read.number("lameDuck"),
    quietMs: read.number("quiet"),
    busyCloseMs: read.number("busyClose"),
    reserveMs: read.number("reserve"),
    callGraceMs: read.optionalNumber("callGrace"),
    startTimeoutMs: read.number("startTimeout"),
    signals: given.signals ?? false,
    hup: (read.optionalText("hup") as Config["hup"] | undefined) ?? defaultHup(surroundings),
    maxSignals: read.number("maxSignals"),
    fb303Shutdown: read.flag("fb303Shutdown"),
    beforeExit: given.beforeExit,
    onHup: given.onHup,

    maxFrameSizeBytes: read.number("maxFrameSize"),
    maxMessageSizeBytes: read.number("maxMessageSize"),
    recursionLimit: read.number("recursionLimit"),
    maxContainerElements: read.number("maxContainerElements"),
    maxConnections: read.number("maxConnections"),
    maxInFlight: read.number("maxInFlight"),
    maxInFlightPerConnection: read.number("maxInFlightPerConnection"),
    maxBufferedBytes: read.number("maxBuffered"),
    writeHighWaterBytes: read.number("writeHighWater"),
    writeTimeoutMs: read.optionalNumber("writeTimeout"),
    idleTimeoutMs: read.optionalNumber("idleTimeout"),
    partialFrameTimeoutMs: read.optionalNumber("partialFrameTimeout"),
    tlsHandshakeTimeoutMs: read.number("tlsHandshakeTimeout"),
    maxConnectionAgeMs: read.optionalNumber("maxConnectionAge"),
    workerMemoryBytes: read.optionalNumber("workerMemory"),

    exposeErrors: read.flag("exposeErrors"),
    accessLog: read.flag("accessLog"),
    logLevel: read.text("logLevel") as Config["logLevel"],
    logFormat: read.optionalText("logFormat") as Config["logFormat"],
  };
  checkTimesOfStop(config, read.writtenAs);
  checkPorts(config, read.writtenAs);
  return config;
}

function defaultHup({ controllingTerminal = hasControllingTerminal }: Surroundings): "drain" | "reload" {
  return controllingTerminal() ? "drain" : "reload";
}

/** What is given explicitly wins over `settings`, that over the environment and the defaults. Durations are in ms. */
function resolveSettings(
  given: ServeOptions,
  ofOptions: Readonly<Record<"store" | "storeTimeout" | "flushInterval", string>>,
): Readonly<Record<string, string>> {
  const explicit = Object.entries(ofOptions).filter(
    ([key]) => given[key as keyof typeof ofOptions] !== undefined,
  );
  return { ...ofOptions, ...given.settings, ...Object.fromEntries(explicit) };
}

/** What is left of `grace` for calls must be more than nothing. */
function checkTimesOfStop(config: Config, writtenAs: (key: string) => string): void {
  const { lameDuckMs, quietMs, reserveMs, graceMs } = config;
  if (lameDuckMs + quietMs + reserveMs >= graceMs) {
    const [lameDuck, quiet, reserve, grace] = [lameDuckMs, quietMs, reserveMs, graceMs].map(showDuration);
    const [lameDuckName, quietName, reserveName] = ["lameDuck", "quiet", "reserve"].map(writtenAs);
    throw new OptionError(
      writtenAs("grace"),
      `${grace} is not allowed; it must be more than ${lameDuckName} (${lameDuck}) + ${quietName} (${quiet}) + ` +
        `${reserveName} (${reserve}) = ${showDuration(lameDuckMs + quietMs + reserveMs)}`,
    );
  }
}

/** The system would say of the second only that it is in use. */
function checkPorts(config: Config, writtenAs: (key: string) => string): void {
  const { host, port, socket, adminHost, adminPort } = config;
  const everywhere = [host, adminHost].some((address) => address === "0.0.0.0" || address === "::");
  if (socket !== undefined || port === 0 || port !== adminPort || (host !== adminHost && !everywhere)) return;
  throw new OptionError(
    writtenAs("adminPort"),
    `${adminPort} is ${writtenAs("port")}, too; choose another (0 picks a free one)`,
  );
}

/** JavaScript callers have no compiler that checks these. */
function checkProgrammatic(given: ServeOptions): void {
  if (given.signals !== undefined && typeof given.signals !== "boolean") {
    throw new OptionError("signals", "give true or false");
  }
  for (const key of ["beforeExit", "onHup"] as const) {
    if (given[key] !== undefined && typeof given[key] !== "function") {
      throw new OptionError(key, "give a function");
    }
  }
  for (const [name, value] of Object.entries(given.settings ?? {})) {
    if (typeof value !== "string") {
      throw new OptionError(`settings.${name}`, `give a text, not a ${typeof value}`);
    }
  }
}
