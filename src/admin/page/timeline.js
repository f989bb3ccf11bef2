/** The drain as a timeline: a band for each phase, and under it a bar for each call that was waited for. */
import { at, count, duration, make, write } from "./format.js";

const shownPhases = ["lame-duck", "draining", "flushing", "closing"];
/** @type {Record<string, string>} */
const endings = {
  clean: "Stopped clean",
  cut: "Stopped, with calls cut,",
  "flush-failed": "Stopped, but state may be lost,",
  "start-failed": "Failed to start",
  forced: "Forced to stop",
};
/** With more calls than this, those that are alike share a row. */
const mostSingleRows = 24;
/** A band below this share of the width has no room for its name. */
const narrowShare = 0.06;
const badOutcomes = new Set(["cut", "failed", "expired", "orphaned"]);

/**
 * What the timeline shows.
 *
 * @typedef {{ method: string, seqid: number, peer: string, worker: number | null, fromMs: number, toMs: number | null, outcome: string | null }} WaitedCall
 * @typedef {{ summary: string, untilMs: number, nowMs: number, plan: any, phases: Record<string, number>, calls: readonly WaitedCall[], more: number, live: boolean }} Drain
 */

/** Of a drain that goes on. @param {any} drain @returns {Drain} */
export function drainOfStatus({ drain, calls }) {
  const { sinceMs, plan, phases, waitedFor, moreWaitedFor, waiting, reason } = drain;
  const left =
    calls.owed === 0 ? "No call is owed." : `${count(calls.owed)} owed, ${count(calls.running)} running.`;
  return {
    summary: `${reason}, ${duration(sinceMs)} ago. ${left}`,
    untilMs: Math.max(sinceMs, plan.graceMs),
    nowMs: sinceMs,
    plan,
    phases,
    calls: [...waiting, ...waitedFor],
    more: moreWaitedFor,
    live: true,
  };
}

/** Of a report. @param {any} report @returns {Drain} */
export function drainOfReport(report) {
  const { phases, waitedFor = [], moreWaitedFor = 0, plan, drainMs } = report;
  return {
    summary: summaryOf(report),
    untilMs: Math.max(drainMs, 1),
    nowMs: drainMs,
    plan,
    phases,
    calls: waitedFor,
    more: moreWaitedFor,
    live: false,
  };
}

/** @param {any} report */
function summaryOf(report) {
  const { outcome, reason, drainMs, received, exitCode, failures = [] } = report;
  const parts = ["completed", "oneway", "failed", "rejected", "expired", "orphaned", "cut"]
    .filter((key) => report[key] > 0)
    .map((key) => `${count(report[key])} ${key}`);
  const when = report.at === undefined ? "" : ` at ${new Date(report.at).toLocaleString()}`;
  const lost = failures.map((/** @type {any} */ { part, error }) => ` ${part}: ${error}.`).join("");
  const sum = received === 0 ? "No call was received." : `${count(received)} received: ${parts.join(", ")}.`;
  return `${endings[outcome] ?? `Stopped: ${outcome},`}${when} after ${duration(drainMs)} (${reason}), exit code ${exitCode}. ${sum}${lost}`;
}

/** @param {Drain} drain */
export function showTimeline(drain) {
  at("drain-section").hidden = false;
  write(at("drain-summary"), drain.summary);
  showBands(drain);
  showAxis(drain);
  showCalls(drain);
}

/** @param {Drain} drain */
function showBands({ phases, untilMs, plan, live }) {
  const bands = [];
  let fromMs = 0;
  for (const phase of shownPhases) {
    const ms = phases[phase] ?? 0;
    if (ms <= 0) continue;
    const took = duration(ms);
    const attributes = { class: "band", "data-phase": phase, title: `${phase}, ${took}` };
    const band = make("li", attributes, make("b", {}, phase), " ", took);
    if (ms / untilMs < narrowShare) band.setAttribute("data-narrow", "");
    place(band, fromMs, fromMs + ms, untilMs);
    bands.push(band);
    fromMs += ms;
  }
  if (live) {
    const mark = make("li", { class: "mark", "aria-label": `calls end at ${duration(plan.callsEndMs)}` });
    mark.style.left = `${(100 * plan.callsEndMs) / untilMs}%`;
    bands.push(mark);
  }
  at("bands").replaceChildren(...bands);
}

/** @param {Drain} drain */
function showAxis({ untilMs, plan, live }) {
  const stepMs = niceStep(untilMs / 5);
  /** @type {HTMLElement[]} */
  const labels = [];
  for (let ms = 0; ms <= untilMs * 0.97; ms += stepMs) {
    // What the mark's label would cover is left out.
    if (live && Math.abs(ms - plan.callsEndMs) < stepMs * 0.7) continue;
    labels.push(label(ms, untilMs, axisText(ms)));
  }
  if (live) labels.push(label(plan.callsEndMs, untilMs, "calls end", "mark-label"));
  at("axis").replaceChildren(...labels);
}

/** @param {number} ms @param {number} untilMs @param {string} text @param {string} [kind] */
function label(ms, untilMs, text, kind = "") {
  const element = make("span", { class: kind }, text);
  element.style.left = `${(100 * ms) / untilMs}%`;
  return element;
}

/** @param {number} ms */
function axisText(ms) {
  return ms === 0 ? "0" : ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(2))} s`;
}

/** 1, 2 or 5 times a power of ten. @param {number} rough */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 0.001)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

/** @param {Drain} drain */
function showCalls({ calls, more, untilMs, nowMs }) {
  const groups = calls.length > mostSingleRows ? grouped(calls, untilMs / 100) : calls.map(single);
  at("waited").replaceChildren(...groups.map(([call, alike]) => callRow(call, alike, untilMs, nowMs)));
  write(
    at("waited-note"),
    more > 0 ? `And ${count(more)} more, for which it waited less long.` : noteOf(calls.length),
  );
}

/** @param {number} shown */
function noteOf(shown) {
  return shown === 0 ? "It waited for no call." : "";
}

/** @param {WaitedCall} call @returns {[WaitedCall, number]} */
function single(call) {
  return [call, 1];
}

/**
 * Calls of one method and outcome that began and ended together become one row.
 *
 * @param {readonly WaitedCall[]} calls
 * @param {number} nearMs
 * @returns {[WaitedCall, number][]}
 */
function grouped(calls, nearMs) {
  /** @type {[WaitedCall, number][]} */
  const groups = [];
  for (const call of calls) {
    const alike = groups.find(([first]) => isAlike(first, call, nearMs));
    if (alike === undefined) groups.push([call, 1]);
    else alike[1]++;
  }
  return groups;
}

/** @param {WaitedCall} a @param {WaitedCall} b @param {number} nearMs */
function isAlike(a, b, nearMs) {
  if (a.method !== b.method || a.outcome !== b.outcome || a.outcome === null) return false;
  const beganMs = Math.abs(Math.max(0, a.fromMs) - Math.max(0, b.fromMs));
  return beganMs < nearMs && Math.abs((a.toMs ?? 0) - (b.toMs ?? 0)) < nearMs;
}

/** @param {WaitedCall} call @param {number} alike how many it stands for @param {number} untilMs @param {number} nowMs */
function callRow({ method, seqid, peer, worker, fromMs, toMs, outcome }, alike, untilMs, nowMs) {
  const kind = outcome === null ? "waiting" : badOutcomes.has(outcome) ? "bad" : "good";
  const where = [`#${seqid}`, peer, worker === null ? "" : `worker ${worker}`].filter(Boolean).join(" · ");
  const name = make(
    "span",
    { class: "call", title: `${method} ${where}` },
    method.slice(method.indexOf(".") + 1),
  );
  name.append(" ", make("small", {}, alike === 1 ? where : `× ${alike}`), " ");
  const bar = make("i", { class: "bar", "data-kind": kind });
  if (fromMs < 0) bar.setAttribute("data-before", "");
  const endMs = toMs ?? nowMs;
  const beganMs = Math.max(0, fromMs);
  place(bar, beganMs, endMs, untilMs);
  const waited = make("span", {}, duration(endMs - beganMs));
  const end = make("span", { class: "end", "data-kind": kind }, waited, " ", outcome ?? "waiting");
  const ran = `It had run for ${duration(-fromMs)} when the stop was asked for.`;
  end.title = fromMs < 0 ? ran : "It came in the drain.";
  return make("li", {}, name, make("span", { class: "lane" }, bar), end);
}

/** @param {HTMLElement} element @param {number} fromMs @param {number} toMs @param {number} untilMs */
function place(element, fromMs, toMs, untilMs) {
  element.style.left = `${(100 * fromMs) / untilMs}%`;
  element.style.width = `${Math.max(0, (100 * (toMs - fromMs)) / untilMs)}%`;
}
