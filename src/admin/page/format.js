/** How numbers are written on the page, and how its elements are made. Texts from the server only ever become text nodes. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
export function count(value) {
  return whole.format(value).replaceAll(",", "\u202f");
}

/** A rate: `12.4 k`. @param {number} value */
export function rate(value) {
  if (value >= 100_000) return `${whole.format(value / 1000)}\u202fk`;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}\u202fk`;
  return value >= 10 || value === 0 ? count(value) : value.toFixed(1);
}

/** A duration as people say it: `0.31 ms`, `48 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`. @param {number} ms */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  return `${Math.round(share * 100)}\u202f%`;
}

/** The element of the page with this id. @param {string} id */
export function at(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes a text only where it changed: screen readers announce every write. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
