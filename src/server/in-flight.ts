/** What lanes are busy with, summed up by method for people who look. */
import { ageBoundsMs, type InFlightStatus } from "../admin/source.ts";
import type { Call } from "../calls/call.ts";
import type { Method } from "../calls/method-table.ts";

interface Sum {
  running: number;
  queued: number;
  expired: number;
  oldestMs: number;
  readonly ages: number[];
}

/** @param calls each with whether it has started */
export function inFlightByMethod(calls: Iterable<[Call, boolean]>, nowMs: number): InFlightStatus[] {
  const sums = new Map<Method, Sum>();
  for (const [{ method, receivedAtMs, stage }, started] of calls) {
    let sum = sums.get(method!);
    if (sum === undefined) {
      sum = {
        running: 0,
        queued: 0,
        expired: 0,
        oldestMs: 0,
        ages: new Array(ageBoundsMs.length + 1).fill(0),
      };
      sums.set(method!, sum);
    }
    const ageMs = Math.max(0, nowMs - receivedAtMs);
    if (started) sum.running++;
    else sum.queued++;
    if (stage === "settled") sum.expired++;
    sum.oldestMs = Math.max(sum.oldestMs, ageMs);
    sum.ages[bucketOf(ageMs)]!++;
  }
  return [...sums].map(([method, sum]) => ({
    service: method.service,
    method: method.name,
    ...sum,
    oldestMs: Math.round(sum.oldestMs * 10) / 10,
  }));
}

function bucketOf(ageMs: number): number {
  const bucket = ageBoundsMs.findIndex((bound) => ageMs <= bound);
  return bucket < 0 ? ageBoundsMs.length : bucket;
}
