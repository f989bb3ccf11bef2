/** Fixed-bucket latency histograms: one comparison loop and one add per call, no object. */

/** Upper bounds of the buckets, in seconds; one more bucket takes what is beyond. */
export const latencyBucketsSeconds: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const boundsMs = Float64Array.from(latencyBucketsSeconds, (seconds) => seconds * 1000);

/** Counts durations by bucket. */
export class LatencyHistogram {
  /** Calls per bucket, not cumulated; the last one is beyond all bounds. */
  readonly counts: Float64Array = new Float64Array(boundsMs.length + 1);
  sumMs = 0;
  count = 0;

  observe(durationMs: number): void {
    let bucket = 0;
    while (bucket < boundsMs.length && durationMs > boundsMs[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumMs += durationMs;
    this.count++;
  }
}
