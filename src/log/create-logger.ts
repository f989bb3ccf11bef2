/** Makes the server's log: JSON lines by pino, or lines for a person when stdout is a terminal. */
import { isatty } from "node:tty";
import { type Logger, pino, stdSerializers, stdTimeFunctions } from "pino";
import { createLineWriter, type LineWriter } from "./line-writer.ts";
import type { LogFields, LogLevel, ServerLog } from "./log.ts";
import { prettyLine, prettySummary } from "./pretty.ts";

export interface LoggerOptions {
  /** The least severe lines that are written. Default: info. */
  readonly level?: LogLevel;
  /** Default: pretty when the descriptor is a terminal, else json. */
  readonly format?: "json" | "pretty" | undefined;
  /** The descriptor that lines go to. Default: 1, stdout. */
  readonly fd?: number;
}

/** How much may wait for a reader that stands still. */
const maxBufferBytes = 1024 * 1024;

const severity: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** All servers of a process share the writer of a descriptor, so that their lines do not mix. */
const writers = new Map<number, LineWriter>();

/** Makes a log. Lines of the contract are JSON unless the format is pretty. */
export function createLogger(options: LoggerOptions = {}): ServerLog {
  const { level = "info", fd = 1 } = options;
  const format = options.format ?? (isatty(fd) ? "pretty" : "json");
  const formatLine = format === "pretty" ? prettyFormatter() : jsonFormatter();
  const writer = writerOf(fd, (count) =>
    formatLine("warn", "log lines dropped: their reader stood still", { dropped: count }),
  );
  function log(lineLevel: LogLevel, msg: string, fields: LogFields): void {
    if (severity[lineLevel] >= severity[level]) {
      writer.write(formatLine(lineLevel, msg, fields), false);
    }
  }
  return {
    debug: (msg, fields = {}) => log("debug", msg, fields),
    info: (msg, fields = {}) => log("info", msg, fields),
    warn: (msg, fields = {}) => log("warn", msg, fields),
    error: (msg, fields = {}) => log("error", msg, fields),
    contract: (msg, fields = {}, summary, lineLevel = "info") =>
      writer.write(
        format === "pretty" && summary !== undefined
          ? prettySummary(new Date(), lineLevel, msg, summary)
          : formatLine(lineLevel, msg, fields),
        true,
      ),
    get dropped() {
      return writer.dropped;
    },
    flush: (withinMs) => writer.flush(withinMs),
  };
}

/**
 * Waits until the lines of all logs of this process are handed to the kernel.
 *
 * @returns whether they were within `withinMs`
 */
export async function flushLogs(withinMs: number): Promise<boolean> {
  const flushed = await Promise.all([...writers.values()].map((writer) => writer.flush(withinMs)));
  return flushed.every(Boolean);
}

function writerOf(fd: number, describeDropped: (count: number) => string): LineWriter {
  let writer = writers.get(fd);
  if (writer === undefined) {
    writer = createLineWriter(fd, { maxBufferBytes, describeDropped });
    writers.set(fd, writer);
  }
  return writer;
}

type Formatter = (level: LogLevel, msg: string, fields: LogFields) => string;

/** Fields that the line itself has; a caller's field of that name would make it ambiguous. */
const ownFields: ReadonlySet<string> = new Set(["level", "time", "pid", "msg"]);

function jsonFormatter(): Formatter {
  let line = "";
  const logger: Logger = pino(
    {
      level: "debug",
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err, err: stdSerializers.err },
    },
    // Pino hands over each line synchronously; which of them must be kept is known outside only.
    {
      write(text: string) {
        line = text;
      },
    },
  );
  return (level, msg, fields) => {
    logger[level](withoutOwnFields(fields), msg);
    return line;
  };
}

function prettyFormatter(): Formatter {
  return (level, msg, fields) => prettyLine(new Date(), level, msg, withoutOwnFields(fields));
}

/** `level: …` of a caller becomes `level_: …`. */
function withoutOwnFields(fields: LogFields): LogFields {
  if (!Object.keys(fields).some((key) => ownFields.has(key))) {
    return fields;
  }
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [ownFields.has(key) ? `${key}_` : key, value]),
  );
}
