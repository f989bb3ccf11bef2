/** All that take part, in the order in which they are run and shown. */
import type { Contestant } from "./contestant.ts";
import { cppNonblocking, cppThreaded } from "./cpp.ts";
import { goSimple } from "./go.ts";
import { javaThreadPool } from "./java.ts";
import { stockNode } from "./node.ts";
import { pythonThreaded } from "./python.ts";
import { sluice } from "./sluice.ts";

export const contestants: readonly Contestant[] = [
  sluice,
  stockNode,
  cppNonblocking,
  cppThreaded,
  javaThreadPool,
  goSimple,
  pythonThreaded,
];
