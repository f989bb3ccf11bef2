/** Results as text for a terminal. */
import type { Goal, Row, Unit, WorkloadResult } from "../workloads/workload.ts";

/** Writes a number with its unit; a dash where there is none. */
export function format(value: number | undefined, unit: Unit): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  switch (unit) {
    case "rate":
      return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
    case "us":
      return value >= 10_000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toFixed(value < 100 ? 1 : 0)} µs`;
    case "ms":
      return `${value.toFixed(0)} ms`;
    case "bytes":
      return value >= 2 ** 20 ? `${(value / 2 ** 20).toFixed(1)} MB` : `${(value / 1024).toFixed(1)} KB`;
    case "ratio":
      return value.toFixed(2);
    case "share":
      return `${(value * 100).toFixed(0)} %`;
    case "count":
      return String(value);
  }
}

/** One workload: title, a line per contestant, goals, notes. */
export function tableOf({ title, columns, rows, goals, notes }: WorkloadResult): string {
  const head = ["", ...columns.map((column) => column.title)];
  const body = rows
    .filter(({ problem }) => problem === undefined)
    .map((row) => [row.label, ...columns.map(({ key, unit }) => format(row.values[key], unit))]);
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((line) => line[i]!.length)));
  const lines = [head, ...body].map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  return [title, ...lines, ...rows.flatMap(problemLine), ...goals.map(goalLine), ...notes]
    .map((line, i) => (i === 0 ? `\n${line}` : `  ${line}`))
    .join("\n");
}

function problemLine({ label, problem }: Row): string[] {
  return problem === undefined ? [] : [`${label} failed: ${problem.split("\n").slice(0, 6).join("\n    ")}`];
}

function goalLine({ text, measured, met }: Goal): string {
  const mark = met === undefined ? "?" : met ? "met" : "MISSED";
  return `goal ${text}: ${measured} (${mark})`;
}
