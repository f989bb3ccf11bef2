/** Log lines for a person at a terminal. */
import type { LogFields, LogLevel } from "./log.ts";

/** `10:04:05.123 info  listening host=127.0.0.1 port=9090` */
export function prettyLine(time: Date, level: LogLevel, msg: string, fields: LogFields): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${printable(key)}=${showValue(value)}`);
  return `${head(time, level, msg)}${shown.join("")}\n`;
}

/** `10:04:05.123 info  stopped: clean after 0.1 s`, and the further lines behind it, indented. */
export function prettySummary(
  time: Date,
  level: LogLevel,
  msg: string,
  [first = "", ...more]: readonly string[],
): string {
  const lines = more.map((line) => `  ${printable(line)}\n`);
  return `${head(time, level, msg)}: ${printable(first)}\n${lines.join("")}`;
}

function head(time: Date, level: LogLevel, msg: string): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${clock}.${ms} ${level.padEnd(5)} ${printable(msg)}`;
}

function showValue(value: unknown): string {
  if (value instanceof Error) {
    return printable(JSON.stringify(value.stack ?? value.message));
  }
  if (typeof value === "string") {
    return printable(/^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value));
  }
  try {
    return printable(
      JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner)) ?? "",
    );
  } catch {
    return "[circular]";
  }
}

/** What clients send must not steer the terminal: control characters are shown, not sent. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
