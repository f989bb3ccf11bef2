/** Drain reports as files: reading one that somebody opens, writing one to download. */

/** What is no drain report. */
export class NoReportError extends Error {}

/**
 * Finds the drain report in a text: a downloaded report, or a server's log, of which it is the last line.
 *
 * @param {string} text
 * @returns {any}
 */
export function readReport(text) {
  const whole = parse(text);
  if (isReport(whole)) return whole;
  for (const line of text.trimEnd().split("\n").reverse()) {
    const value = parse(line);
    if (isReport(value)) return value;
  }
  throw new NoReportError("There is no drain report in this file.");
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {any} value */
function isReport(value) {
  return (
    typeof value === "object" && value !== null && typeof value.phases === "object" && "received" in value
  );
}

/** @param {any} report */
export function downloadReport(report) {
  const url = URL.createObjectURL(
    new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: "application/json" }),
  );
  const link = document.createElement("a");
  const day = new Date(report.at ?? Date.now()).toISOString().slice(0, 19).replaceAll(":", "");
  link.href = url;
  link.download = `drain-${report.name ?? "report"}-${day}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
