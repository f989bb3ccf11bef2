/**
 * The chart for the README: calls per second as horizontal bars, one group per race.
 * It carries its own colours for light and dark, background included: a reader's system and the page that
 * shows the chart need not agree on which it is.
 */
import type { Row, WorkloadResult } from "../workloads/workload.ts";
import type { Results } from "./results.ts";
import { format } from "./table.ts";

const width = 760;
const margin = 14;
const labelWidth = 190;
const valueWidth = 90;
const barHeight = 16;
const lineHeight = 22;
const groupGap = 44;
const charted = ["echo-32x1", "echo-8x16", "compact-8x16", "blob-64k"];

const style = `
  .page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .small { font-size: 11px; fill: #59636e }
  .value { font-variant-numeric: tabular-nums }
  .sluice { fill: #0969da } .stock { fill: #bc4c00 } .apache { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .small { fill: #9198a1 }
    .sluice { fill: #4493f8 } .stock { fill: #db6d28 } .apache { fill: #656c76 }
  }`;

/** Draws the races of a run; undefined when it holds none of them. */
export function chartOf({ workloads, machine }: Results): string | undefined {
  const races = charted
    .map((id) => workloads.find((workload) => workload.id === id))
    .filter((race) => race !== undefined)
    .filter((race) => barsOf(race).length > 0);
  if (races.length === 0) return undefined;
  const parts: string[] = [];
  let y = 24;
  for (const race of races) {
    parts.push(groupOf(race, y));
    y += barsOf(race).length * lineHeight + groupGap;
  }
  const foot = `Calls per second; ${machine.cores} cores shared with the load generator, ${machine.cpu}, Node ${machine.node}`;
  parts.push(text(0, y - 10, foot, "small"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-margin} 0 ${width + 2 * margin} ${y}" role="img" aria-labelledby="chart-title">`,
    `<title id="chart-title">Calls per second of Sluice, stock npm thrift and Apache's servers</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" x="${-margin}" y="0" width="${width + 2 * margin}" height="${y}" rx="6"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function barsOf(race: WorkloadResult): Row[] {
  return race.rows
    .filter((row) => row.problem === undefined && Number.isFinite(row.values["rate"]))
    .sort((a, b) => b.values["rate"]! - a.values["rate"]!);
}

/** Each group has its own scale: races of 64 KB and of 139 bytes have nothing to compare. */
function groupOf(race: WorkloadResult, top: number): string {
  const bars = barsOf(race);
  const fullScale = bars[0]!.values["rate"]!;
  const room = width - labelWidth - valueWidth;
  const lines = bars.map((row, i) => {
    const rate = row.values["rate"]!;
    const y = top + 10 + i * lineHeight;
    const length = Math.max(1, (rate / fullScale) * room);
    const bar = `<rect class="${row.family}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`;
    const baseline = y + barHeight - 4;
    return [
      text(0, baseline, row.label),
      bar,
      text(labelWidth + length + 6, baseline, format(rate, "rate"), "value"),
    ].join("\n");
  });
  return [text(0, top, race.title, "title"), ...lines].join("\n");
}

function text(x: number, y: number, content: string, className?: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y}"${className ? ` class="${className}"` : ""}>${escaped}</text>`;
}
