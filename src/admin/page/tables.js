/** Figures and tables: methods with their calls in flight, workers, outcomes, connections. */
import { quantile } from "./charts.js";
import { at, bytes, count, duration, make, percent, rate, write } from "./format.js";

const outcomes = ["completed", "oneway", "failed", "rejected", "expired", "orphaned", "cut"];
const high = 0.85;

/** @typedef {{ perSecond: number, p50: number | null, p99: number | null, spanS: number, before: any } | undefined} Span */

/** @param {any} status @param {Span} span */
export function showFigures({ calls, connections, lanes, mainThread }, span) {
  const busy = lanes.filter(
    (/** @type {any} */ lane) => lane.state === "ready" || lane.state === "standing",
  ).length;
  /** @type {[string, string, string][]} */
  const figures = [
    ["received", count(calls.received), ""],
    ["in flight", count(calls.owed), calls.running === 0 ? "" : `${count(calls.running)} running`],
    ["per second", span === undefined ? "–" : rate(span.perSecond), ""],
    ["median", ...latencyText(span?.p50)],
    ["99 %", ...latencyText(span?.p99)],
    ["connections", count(connections.open), ""],
    ["workers", `${busy}`, `of ${lanes.length}`],
    ["main thread", percent(mainThread.utilisation), bytes(mainThread.residentBytes)],
  ];
  const list = at("figures");
  if (list.childElementCount !== figures.length) {
    list.replaceChildren(
      ...figures.map(([name]) =>
        make("div", {}, make("dt", {}, name), make("dd", {}, make("span"), make("small"))),
      ),
    );
  }
  figures.forEach(([, value, unit], index) => {
    const [number, small] = list.children[index]?.lastElementChild?.children ?? [];
    if (number !== undefined) write(number, value);
    if (small !== undefined) write(small, unit);
  });
}

/** @param {number | null | undefined} ms @returns {[string, string]} */
function latencyText(ms) {
  if (ms == null) return ["–", ""];
  const [number = "", ...unit] = duration(ms).split(" ");
  return [number, unit.join(" ")];
}

/** @param {any} status @param {Span} span */
export function showTables(status, span) {
  showMethods(status, span);
  showWorkers(status);
  showOutcomes(status);
  showConnections(status);
}

/** @param {any} status @param {Span} span */
function showMethods({ methods, inFlight, latencyBucketsSeconds, ageBoundsMs }, span) {
  const flying = new Map(inFlight.map((/** @type {any} */ row) => [`${row.service}.${row.method}`, row]));
  const before = new Map((span?.before.methods ?? []).map((/** @type {any} */ row) => [keyOf(row), row]));
  const rows = methods.map((/** @type {any} */ row) => {
    const key = keyOf(row);
    const now = flying.get(key);
    const earlier = before.get(key);
    const settled = row.latency.count - (earlier?.latency.count ?? 0);
    const buckets = row.latency.buckets.map(
      (/** @type {number} */ value, /** @type {number} */ index) =>
        value - (earlier?.latency.buckets[index] ?? 0),
    );
    const p99 =
      span === undefined || earlier === undefined ? null : quantile(buckets, latencyBucketsSeconds, 0.99);
    const name =
      row.method === null
        ? make("span", {}, "unknown names")
        : make("span", {}, make("small", {}, `${row.service}.`), row.method);
    return [
      { node: name },
      { text: count(row.received), wide: true },
      { text: span === undefined || earlier === undefined ? "–" : rate(settled / span.spanS) },
      { text: p99 === null ? "–" : duration(p99), wide: true },
      {
        text: count(row.failed + row.rejected + row.expired + row.orphaned + row.cut),
        dim: true,
        wide: true,
      },
      { text: count(row.owed), dim: true },
      { text: now === undefined ? "–" : duration(now.oldestMs) },
      { node: agesBar(now, ageBoundsMs), wide: true },
    ];
  });
  fill(
    "methods",
    [
      "method",
      "received",
      "per second",
      "99 %",
      "not answered",
      "in flight",
      "oldest running",
      "ages of those",
    ],
    rows,
    "No call was received yet.",
    [1, 3, 4, 7],
  );
}

/** @param {any} row */
function keyOf({ service, method }) {
  return `${service}.${method}`;
}

/** @param {any} row @param {number[]} boundsMs */
function agesBar(row, boundsMs) {
  const total = row === undefined ? 0 : row.running + row.queued;
  const ages = /** @type {number[]} */ (row?.ages ?? []);
  const said = ages
    .map((calls, index) =>
      calls === 0
        ? ""
        : `${calls} ${index < boundsMs.length ? `up to ${duration(boundsMs[index] ?? 0)}` : "older"}`,
    )
    .filter(Boolean)
    .join(", ");
  const bar = make("span", {
    class: "ages",
    role: "img",
    "aria-label": said === "" ? "none in flight" : said,
    title: said,
  });
  for (const calls of ages) {
    const piece = make("i");
    piece.style.width = total === 0 ? "0" : `${(100 * calls) / total}%`;
    bar.append(piece);
  }
  return bar;
}

/** @param {any} status */
function showWorkers({ lanes, phase }) {
  // At the end of a stop all of them have ended, as they should.
  const ended = phase.phase === "closing" || phase.phase === "flushing" ? "ended" : "dead";
  const rows = lanes.map(
    (/** @type {any} */ { index, state, inFlight, queued, utilisation, memoryBytes, restarts }) => [
      { text: `${index}` },
      stateCell(state === "dead" ? ended : state),
      { node: busyMeter(utilisation) },
      { text: count(Math.max(0, inFlight - queued)), dim: true },
      { text: count(queued), dim: true },
      { text: memoryBytes === undefined ? "–" : bytes(memoryBytes), wide: true },
      { text: count(restarts), dim: true, wide: true },
    ],
  );
  fill(
    "workers",
    ["worker", "state", "loop busy", "running", "queued", "memory", "restarts"],
    rows,
    "No worker yet.",
    [5, 6],
  );
}

/** @param {string} state */
function stateCell(state) {
  return { text: state === "standing" ? "standing still" : state, className: `state-${state}` };
}

/** @param {number | undefined} share */
function busyMeter(share) {
  const cell = make("span", {}, share === undefined ? "–" : percent(share));
  const fillBar = make("i");
  fillBar.style.width = percent(share ?? 0).replace("\u202f", "");
  if ((share ?? 0) > high) fillBar.setAttribute("data-high", "");
  cell.append(make("span", { class: "meter", "aria-hidden": "true" }, fillBar));
  return cell;
}

/** @param {any} status */
function showOutcomes({ calls }) {
  const rows = [...outcomes, "owed"].map((outcome) => [
    { text: outcome === "owed" ? "none yet" : outcome },
    { text: count(calls[outcome]), dim: true },
    { text: calls.received === 0 ? "" : share(calls[outcome] / calls.received) },
  ]);
  rows.push([{ text: "received" }, { text: count(calls.received) }, { text: "" }]);
  if (calls.malformed > 0)
    rows.push([{ text: "no message" }, { text: count(calls.malformed) }, { text: "" }]);
  fill("outcomes", ["outcome", "calls", "share"], rows, "");
}

/** @param {number} part */
function share(part) {
  return part === 0 ? "" : part < 0.001 ? "< 0.1\u202f%" : `${(100 * part).toFixed(1)}\u202f%`;
}

/** @param {any} status */
function showConnections({ connections }) {
  const { open, accepted, byProtocol, closedByKind } = connections;
  const named = Object.entries(byProtocol).filter(([, open]) => open > 0);
  const rows = named.map(([kind, open]) => [
    { node: connectionName(kind) },
    { text: count(/** @type {number} */ (open)) },
  ]);
  rows.push([{ text: "open" }, { text: count(open) }], [{ text: "accepted" }, { text: count(accepted) }]);
  for (const [why, closed] of Object.entries(closedByKind)) {
    rows.push([{ text: `closed: ${why}` }, { text: count(/** @type {number} */ (closed)) }]);
  }
  fill("connections", ["protocol, transport", "now"], rows, "");
}

/** `tls-framed-binary` becomes `binary, framed, TLS`. @param {string} kind */
function connectionName(kind) {
  const words = kind.split("-");
  const secure = words[0] === "tls" && words.length > 1 && kind !== "tls-handshake";
  const rest = secure ? words.slice(1) : words;
  const named = rest.length === 2 && rest[1] !== "handshake" ? [rest[1], rest[0]] : [rest.join(" ")];
  return make("span", {}, [...named, ...(secure ? ["TLS"] : [])].join(", "));
}

/**
 * Fills a table; rows and cells that are there already are kept, so that reading and selecting is not disturbed.
 *
 * @param {string} id
 * @param {string[]} heads
 * @param {{ text?: string, node?: Node, dim?: boolean, wide?: boolean, className?: string }[][]} rows
 * @param {string} none
 * @param {number[]} wideHeads
 */
function fill(id, heads, rows, none, wideHeads = []) {
  const table = at(id);
  if (table.childElementCount === 0) {
    const cells = heads.map((text, index) =>
      make("th", { scope: "col", class: wideHeads.includes(index) ? "wide" : "" }, text),
    );
    table.append(make("thead", {}, make("tr", {}, ...cells)), make("tbody"));
  }
  const body = /** @type {HTMLElement} */ (table.lastElementChild);
  const shown = rows.length === 0 ? [[{ text: none }]] : rows;
  while (body.childElementCount > shown.length) body.lastElementChild?.remove();
  shown.forEach((cells, index) => {
    const row = body.children[index] ?? body.appendChild(make("tr"));
    while (row.childElementCount > cells.length) row.lastElementChild?.remove();
    cells.forEach((cell, column) => {
      const element =
        row.children[column] ??
        row.appendChild(make(column === 0 ? "th" : "td", column === 0 ? { scope: "row" } : {}));
      const { text, node, dim = false, wide = false, className = "" } = /** @type {any} */ (cell);
      if (node !== undefined) {
        if (!node.isEqualNode(element.firstChild) || element.childNodes.length !== 1)
          element.replaceChildren(node);
      } else write(element, text);
      element.className = [className, wide ? "wide" : "", dim && text === "0" ? "zero" : ""]
        .filter(Boolean)
        .join(" ");
    });
  });
}
