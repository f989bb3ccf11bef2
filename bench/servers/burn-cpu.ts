/** Takes the results of the work, so that no compiler leaves it out. */
const sink = new Float64Array(1);

/** Long beside the kernel's 4 ms steps in counting a running thread's CPU time. */
const calibrationMs = 100;
let roundsPerMs: number | undefined;

/** Where the harness, which has the machine for itself at its start, tells its servers how much work a millisecond is. */
const variable = "BENCH_ROUNDS_PER_MS";

/**
 * Keeps this thread busy, in one synchronous piece, with as much work as takes `ms` milliseconds of CPU time.
 * CPU time and not wall time: a thread that only waits for a core would seem to do its work otherwise,
 * and two workers on one core would look twice as fast as one. Where nobody has said how much work that is, the first
 * call of a thread finds it out, in 200 ms.
 */
export function burnCpu(ms: number): number {
  roundsPerMs ??= Number(process.env[variable] ?? calibrate());
  work(Math.round(ms * roundsPerMs));
  return ms;
}

function work(rounds: number): void {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(i ^ (sum & 0xff));
  sink[0]! += sum;
}

/** Has every process that is started from now on burn by the same measure. */
export function agreeOnBurning(): void {
  process.env[variable] ??= String(calibrate());
}

/** How many rounds of work are one millisecond of this thread's CPU time. */
function calibrate(): number {
  // Once for the compiler, once for the figure.
  roundsIn(calibrationMs);
  return roundsIn(calibrationMs) / calibrationMs;
}

function roundsIn(ms: number): number {
  const chunk = 10_000;
  const start = process.threadCpuUsage();
  for (let rounds = chunk; ; rounds += chunk) {
    work(chunk);
    const { user, system } = process.threadCpuUsage(start);
    const spentMs = (user + system) / 1000;
    if (spentMs >= ms) return (rounds * ms) / spentMs;
  }
}
