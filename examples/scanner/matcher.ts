/** Looks for many byte patterns at once: an Aho-Corasick automaton, whose time is linear in the bytes it reads. */

/** @returns the places, in `patterns`, of those that occur in the bytes */
export type Matcher = (bytes: Uint8Array) => number[];

/** The most bytes that all patterns may have together: a state is numbered in 16 bits, and takes 512 bytes. */
export const mostPatternBytes = 16 * 1024;

const byteValues = 256;

/** Takes some milliseconds for a thousand patterns. None may be empty. */
export function createMatcher(patterns: readonly Uint8Array[]): Matcher {
  const states = 1 + patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  /** Where each byte leads from each state. State 0 is the beginning: nothing of any pattern was read. */
  const next = new Uint16Array(states * byteValues);
  /** The patterns that end in a state. */
  const ends = new Map<number, number[]>();
  addPatterns(patterns, next, ends);
  const shorter = addDetours(next, states, ends);

  return (bytes) => {
    const found = new Set<number>();
    // What ends in a state is looked at once for all its visits, or patterns like a, aa, aaa … would make it slow.
    const visited = new Uint8Array(states);
    visited[0] = 1;
    let state = 0;
    for (const byte of bytes) {
      state = next[state * byteValues + byte]!;
      for (let at = state; visited[at] === 0; at = shorter[at]!) {
        visited[at] = 1;
        for (const pattern of ends.get(at) ?? []) found.add(pattern);
      }
    }
    return [...found].sort((a, b) => a - b);
  };
}

/** Makes the tree of all patterns. */
function addPatterns(patterns: readonly Uint8Array[], next: Uint16Array, ends: Map<number, number[]>): void {
  let made = 0;
  for (const [index, pattern] of patterns.entries()) {
    let state = 0;
    for (const byte of pattern) {
      const at = state * byteValues + byte;
      if (next[at] === 0) next[at] = ++made;
      state = next[at]!;
    }
    const here = ends.get(state);
    if (here === undefined) ends.set(state, [index]);
    else here.push(index);
  }
}

/**
 * Fills in where bytes lead that go on with no pattern: to the longest end of what was read with which one begins.
 * Goes by depth, so that this shorter state is complete already.
 *
 * @returns of each state the next shorter one in which a pattern ends too, or 0
 */
function addDetours(next: Uint16Array, states: number, ends: ReadonlyMap<number, unknown>): Uint16Array {
  const fallback = new Uint16Array(states);
  const shorter = new Uint16Array(states);
  const byDepth = [0];
  for (const state of byDepth) {
    for (let byte = 0; byte < byteValues; byte++) {
      const at = state * byteValues + byte;
      const child = next[at]!;
      const detour = state === 0 ? 0 : next[fallback[state]! * byteValues + byte]!;
      if (child === 0) {
        next[at] = detour;
        continue;
      }
      fallback[child] = detour;
      shorter[child] = ends.has(detour) ? detour : shorter[detour]!;
      byDepth.push(child);
    }
  }
  return shorter;
}
