/** What the rest of the program knows of logging. */

/** Fields of a log line; they stand at its top level. */
export type LogFields = Readonly<Record<string, unknown>>;

/** How severe a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes log lines. Never throws and never waits. */
export interface Log {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
}

/** The log of a server. */
export interface ServerLog extends Log {
  /**
   * Writes a line of the contract (`listening`, `draining`, `stopped`): it is written whatever the level, and kept when
   * the buffer is full.
   *
   * @param summary what people get in place of the fields, in lines
   * @param level default: info
   */
  contract(msg: string, fields?: LogFields, summary?: readonly string[], level?: LogLevel): void;
  /** Lines that were dropped since the start because the reader stood still or was gone. */
  readonly dropped: number;
  /** Waits until all lines are handed to the kernel. @returns whether they were within `withinMs` */
  flush(withinMs: number): Promise<boolean>;
}

/** A log that writes nothing, for tests and for code that is run without a server. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
