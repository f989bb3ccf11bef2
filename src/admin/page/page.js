/** Puts the page together: the stream's events to what shows them, and reports that are opened to the timeline. */
import { addStatus, setUpCharts } from "./charts.js";
import { hideControls, setUpControls, showControls } from "./controls.js";
import { at, duration, make, write } from "./format.js";
import { downloadReport, NoReportError, readReport } from "./report.js";
import { openStream } from "./stream.js";
import { showFigures, showTables } from "./tables.js";
import { drainOfReport, drainOfStatus, showTimeline } from "./timeline.js";

const phases = ["starting", "serving", "lame-duck", "draining", "flushing", "closing", "stopped"];

/** The last event, and when it came, in ms of this page. @type {{ status: any, atMs: number } | undefined} */
let latest;
/** What the timeline shows, for the download. @type {any} */
let shownDrain;
/** @type {ReturnType<typeof addStatus>} */
let span;
/** @type {"live" | "lost" | "ended" | "report"} */
let mode = "live";

/** @param {any} status */
function show(status) {
  latest = { status, atMs: performance.now() };
  mode = "live";
  notice("");
  for (const id of ["live", "flow", "details"]) at(id).hidden = false;
  span = addStatus(status) ?? span;
  showHead(status);
  showPhase(status.phase.phase, status);
  showFigures(status, span);
  showTables(status, span);
  showControls(status);
  if (status.drain !== null) {
    shownDrain = {
      at: status.at,
      name: status.name,
      ...status.drain,
      received: status.calls.received,
      ...status.calls,
    };
    showTimeline(drainOfStatus(status));
  }
  count();
}

/** The last event: the server has stopped, and says how. @param {any} status */
function end(status) {
  show(status);
  mode = "ended";
  hideControls();
  const { lastReport } = status;
  if (lastReport === null) return notice("The server closed its admin port.", true);
  const { outcome } = lastReport;
  document.body.dataset["ended"] = outcome === "clean" ? "clean" : "bad";
  showPhase("stopped", status);
  write(at("phase"), `stopped: ${outcome}`);
  showReport({ at: status.at, name: status.name, version: status.version, pid: status.pid, ...lastReport });
  notice("The server has stopped.", true);
}

/** @param {any} report */
function showReport(report) {
  shownDrain = report;
  showTimeline(drainOfReport(report));
}

/** @param {boolean} comesBack */
function lose(comesBack) {
  if (mode === "ended") return;
  mode = "lost";
  hideControls();
  if (comesBack) notice("The connection to the server is lost; trying again.");
  else notice("The server sends no events: as many may be looking as it takes.", true);
}

/** @param {any} status */
function showHead({ name, version, pid, node, startedAt }) {
  document.title = `${name} · Sluice`;
  write(at("name"), name);
  const up = Date.now() - Date.parse(startedAt);
  write(
    at("about"),
    `version ${version}, process ${pid}, Node.js ${node.replace(/^v/, "")}, up for ${duration(Math.max(0, up))}`,
  );
}

/** @param {string} phase @param {any} status */
function showPhase(phase, status) {
  document.body.dataset["phase"] = phase;
  if (phase !== "stopped") delete document.body.dataset["ended"];
  const { reason, inPhaseMs } = status.phase;
  write(at("phase"), phase === "serving" && !status.ready ? "serving, not ready" : phase);
  const why = status.notReadyBecause !== null && phase === "serving" ? `${status.notReadyBecause}; ` : "";
  const since = phase === "stopped" ? "" : `for ${duration(inPhaseMs)}`;
  write(at("phase-why"), [why + since, reason].filter(Boolean).join(" · "));
  const here = phases.indexOf(phase);
  const steps = at("steps");
  if (steps.childElementCount === 0) steps.append(...phases.map((name) => make("li", {}, name)));
  [...steps.children].forEach((step, index) => {
    step.toggleAttribute("data-past", index < here);
    if (index === here) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
}

/** The countdown goes on between two events. */
function count() {
  const left = latest?.status.phase.deadlineInMs;
  const element = at("countdown");
  element.hidden = left === undefined || mode === "ended" || mode === "report";
  if (latest === undefined) return;
  const sinceMs = performance.now() - latest.atMs;
  if (left !== undefined) write(element, `${(Math.max(0, left - sinceMs) / 1000).toFixed(1)} s left`);
  write(at("age"), mode === "live" && sinceMs < 3000 ? "" : `last event ${duration(sinceMs)} ago`);
}

/** @param {string} text @param {boolean} again whether to offer to connect again */
function notice(text, again = false) {
  const element = at("notice");
  element.hidden = text === "";
  if (element.dataset["text"] === text) return;
  element.dataset["text"] = text;
  element.replaceChildren(text);
  if (!again) return;
  const button = make("button", { type: "button", class: "plain" }, "Connect again");
  button.addEventListener("click", () => location.assign("/"));
  element.append(" ", button);
}

/** @param {File | undefined | null} file */
async function openReport(file) {
  if (file === undefined || file === null) return;
  try {
    const report = readReport(await file.text());
    if (mode === "live") stream?.close();
    mode = "report";
    latest = undefined;
    for (const id of ["live", "flow", "details"]) at(id).hidden = true;
    hideControls();
    document.title = `${file.name} · Sluice`;
    write(at("name"), report.name ?? "Drain report");
    write(at("about"), file.name);
    showReport(report);
    notice("");
    history.replaceState(null, "", "/?report=");
  } catch (error) {
    notice(error instanceof NoReportError ? error.message : "This file can't be read.");
  }
}

function setUpReports() {
  const file = /** @type {HTMLInputElement} */ (at("report-file"));
  at("open-report").addEventListener("click", () => file.click());
  file.addEventListener("change", () => void openReport(file.files?.[0]));
  at("download").addEventListener("click", () => downloadReport(shownDrain));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.dataset["drop"] = "";
  });
  document.addEventListener("dragleave", () => delete document.body.dataset["drop"]);
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    delete document.body.dataset["drop"];
    void openReport(event.dataTransfer?.files[0]);
  });
}

/** @type {EventSource | undefined} */
let stream;
setUpControls();
setUpReports();
setUpCharts();
setInterval(count, 100);
if (new URLSearchParams(location.search).has("report")) {
  mode = "report";
  write(at("name"), "Drain report");
  write(at("about"), "Open the report of a drain, or a server's log, or drop it here.");
} else stream = openStream({ onEvent: show, onLast: end, onLost: lose });
