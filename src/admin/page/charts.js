/** Rate and latency over the last minutes, as this page has seen them. */

import { at, duration, rate } from "./format.js";
import uPlot from "./uplot.js";

const keptPoints = 300;
/** Shorter distances between two events make no rate: an event at a change of phase comes between two ticks. */
const shortestSpanS = 0.4;

/** @type {[number[], (number | null)[], (number | null)[], (number | null)[], (number | null)[]]} */
const history = [[], [], [], [], []];
/** @type {any} */
let last;
/** @type {{ rate: uPlot, latency: uPlot } | undefined} */
let plots;

/**
 * Takes in a status, and says what was between it and the one before.
 *
 * @param {any} status
 * @returns {{ perSecond: number, p50: number | null, p99: number | null, spanS: number, before: any } | undefined}
 */
export function addStatus(status) {
  const before = last;
  const atS = Date.parse(status.at) / 1000;
  if (before !== undefined && before.pid !== status.pid) reset();
  else if (before !== undefined) {
    const spanS = atS - Date.parse(before.at) / 1000;
    if (spanS < shortestSpanS) return undefined;
    const point = between(before, status, spanS);
    push(atS, point);
    last = status;
    draw();
    return { ...point, spanS, before };
  }
  last = status;
  return undefined;
}

function reset() {
  for (const column of history) column.length = 0;
}

/** @param {any} before @param {any} now @param {number} spanS */
function between(before, now, spanS) {
  const settled = now.calls.received - now.calls.owed - (before.calls.received - before.calls.owed);
  const good = now.calls.completed + now.calls.oneway - before.calls.completed - before.calls.oneway;
  const buckets = bucketsOf(now).map((sum, index) => sum - (bucketsOf(before)[index] ?? 0));
  const bounds = now.latencyBucketsSeconds;
  return {
    perSecond: settled / spanS,
    others: (settled - good) / spanS,
    p50: quantile(buckets, bounds, 0.5),
    p99: quantile(buckets, bounds, 0.99),
  };
}

/** The sum of all methods' latency buckets. @param {any} status @returns {number[]} */
export function bucketsOf(status) {
  /** @type {number[]} */
  const sums = new Array(status.latencyBucketsSeconds.length + 1).fill(0);
  for (const { latency } of status.methods) {
    latency.buckets.forEach((/** @type {number} */ value, /** @type {number} */ index) => {
      sums[index] = (sums[index] ?? 0) + value;
    });
  }
  return sums;
}

/**
 * A quantile in ms, linear within its bucket; null when there are no calls.
 *
 * @param {number[]} buckets
 * @param {number[]} boundsSeconds
 * @param {number} q
 */
export function quantile(buckets, boundsSeconds, q) {
  const total = buckets.reduce((sum, value) => sum + value, 0);
  if (total <= 0) return null;
  let below = 0;
  for (let index = 0; index < boundsSeconds.length; index++) {
    const here = buckets[index] ?? 0;
    if (below + here >= q * total && here > 0) {
      const from = index === 0 ? 0 : (boundsSeconds[index - 1] ?? 0);
      const to = boundsSeconds[index] ?? 0;
      return 1000 * (from + ((to - from) * (q * total - below)) / here);
    }
    below += here;
  }
  return 1000 * (boundsSeconds.at(-1) ?? 0);
}

/** @param {number} atS @param {{ perSecond: number, others: number, p50: number | null, p99: number | null }} point */
function push(atS, { perSecond, others, p50, p99 }) {
  const row = [atS, perSecond, others, p50, p99];
  history.forEach((column, index) => {
    column.push(/** @type {never} */ (row[index]));
    if (column.length > keptPoints) column.shift();
  });
}

function draw() {
  plots ??= makePlots();
  const [time, all, others, p50, p99] = history;
  const untilS = time.at(-1) ?? 0;
  // At least a minute is shown, so that the first points are not stretched over the whole width.
  const fromS = Math.min(time[0] ?? untilS, untilS - 60);
  for (const [plot, data] of /** @type {[uPlot, any][]} */ ([
    [plots.rate, [time, all, others]],
    [plots.latency, [time, p50, p99]],
  ])) {
    plot.setData(data, false);
    plot.setScale("x", { min: fromS, max: untilS });
    // Where nobody points at the chart, its legend shows what is now.
    if (plot.cursor.idx == null || plot.cursor.left === undefined || plot.cursor.left < 0) {
      plot.setLegend({ idx: data[0].length - 1 }, false);
    }
  }
  const say = (/** @type {number | null | undefined} */ ms) => (ms == null ? "no calls" : duration(ms));
  at("rate-chart").setAttribute(
    "aria-label",
    `Calls per second over the last minutes; now ${rate(all.at(-1) ?? 0)}`,
  );
  at("latency-chart").setAttribute(
    "aria-label",
    `Latency over the last minutes; now median ${say(p50.at(-1))}, 99th percentile ${say(p99.at(-1))}`,
  );
}

/** Makes the charts anew in the colours of the theme. */
function makePlots() {
  plots?.rate.destroy();
  plots?.latency.destroy();
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (/** @type {string} */ name) => {
    // The variables hold light-dark(): only a computed colour is one that a canvas understands.
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [ink, line, water] = [colour("quiet"), colour("line"), colour("water")];
  const [wash, red, amber] = [colour("wash"), colour("red"), colour("amber")];
  probe.remove();
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const base = (/** @type {HTMLElement} */ host) => ({
    width: host.clientWidth,
    height: 165,
    cursor: { y: false, points: { size: 6 } },
    legend: { live: true },
    padding: /** @type {[number, number, number, number]} */ ([8, 6, 0, 0]),
  });
  const time = {
    ...axis,
    space: 70,
    size: 26,
    values: (/** @type {any} */ _, /** @type {number[]} */ splits) =>
      splits.map((s) => new Date(s * 1000).toTimeString().slice(0, 8)),
  };
  const clock = {
    label: "at",
    value: (/** @type {any} */ _, /** @type {number | null} */ s) =>
      s == null ? "" : new Date(s * 1000).toTimeString().slice(0, 8),
  };
  const perSecond = (/** @type {any} */ _, /** @type {number | null} */ value) =>
    value == null ? "" : rate(value);
  const ms = (/** @type {any} */ _, /** @type {number | null} */ value) =>
    value == null ? "" : duration(value);
  const rateHost = at("rate-chart");
  const latencyHost = at("latency-chart");
  const made = {
    rate: new uPlot(
      {
        ...base(rateHost),
        scales: {
          y: {
            range: (/** @type {any} */ _, /** @type {any} */ __, /** @type {number | null} */ max) => [
              0,
              Math.max(1, (max ?? 0) * 1.1),
            ],
          },
        },
        axes: [time, { ...axis, size: 48, values: (_, splits) => splits.map((value) => rate(value)) }],
        series: [
          clock,
          { label: "all", stroke: water, fill: wash, width: 1.5, value: perSecond, points: { show: false } },
          {
            label: "not answered as asked",
            stroke: red,
            width: 1.5,
            value: perSecond,
            points: { show: false },
          },
        ],
      },
      /** @type {any} */ ([[], [], []]),
      rateHost,
    ),
    latency: new uPlot(
      {
        ...base(latencyHost),
        scales: { y: { distr: 3, range: logRange } },
        axes: [
          time,
          {
            ...axis,
            grid: { ...axis.grid, filter: decadesOnly },
            size: 58,
            values: (_, splits) =>
              splits.map((value) => (value === null || !isDecade(value) ? "" : axisMs(value))),
          },
        ],
        series: [
          clock,
          { label: "median", stroke: water, width: 1.5, value: ms, points: { show: false } },
          { label: "99 %", stroke: amber, width: 1.5, value: ms, points: { show: false } },
        ],
      },
      /** @type {any} */ ([[], [], []]),
      latencyHost,
    ),
  };
  return made;
}

/** Whole decades around the data. @param {any} _ @param {number | null} min @param {number | null} max @returns {[number, number]} */
function logRange(_, min, max) {
  const low = 10 ** Math.floor(Math.log10(Math.max(0.01, min ?? 0.1)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(low * 10, max ?? 10)));
  return [low, Math.max(high, low * 10)];
}

/** @param {any} _ @param {number[]} splits */
function decadesOnly(_, splits) {
  return splits.map((value) => (isDecade(value) ? value : null));
}

/** @param {number} value */
function isDecade(value) {
  return Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;
}

/** @param {number} ms */
function axisMs(ms) {
  return ms >= 1000 ? `${ms / 1000} s` : `${Number(ms.toPrecision(1))} ms`;
}

/** Keeps the charts as wide as the page and in its colours. */
export function setUpCharts() {
  new ResizeObserver(() => {
    if (plots === undefined) return;
    plots.rate.setSize({ width: at("rate-chart").clientWidth, height: 165 });
    plots.latency.setSize({ width: at("latency-chart").clientWidth, height: 165 });
  }).observe(at("flow"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (plots === undefined) return;
    plots = makePlots();
    draw();
  });
}
