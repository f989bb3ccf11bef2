/** Takes the results of the work, so that no compiler leaves it out. */
const sink = new Float64Array(1);

/**
 * Keeps this thread busy, in one synchronous piece, until it has used `ms` milliseconds of CPU time.
 * CPU time and not wall time: a thread that only waits for a core would seem to do its work otherwise,
 * and two workers on one core would look twice as fast as one.
 */
export function burnCpu(ms: number): number {
  const start = process.threadCpuUsage();
  let spentUs = 0;
  while (spentUs < ms * 1000) {
    for (let i = 0; i < 1000; i++) sink[0]! += i * 0.5;
    const used = process.threadCpuUsage(start);
    spentUs = used.user + used.system;
  }
  return ms;
}
