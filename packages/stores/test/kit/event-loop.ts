import { readFileSync } from 'node:fs';

/** How long an event loop stood still at most, in milliseconds. */
export interface Standstill {
  /** In all. */
  readonly stillMs: number;
  /** But for the time in which others had the CPUs: what the process did to itself. */
  readonly heldMs: number;
}

/** Watches the event loop until the answer is called. */
export function watchEventLoop(): () => Standstill {
  const tickMs = 2;
  let stillMs = 0;
  let heldMs = 0;
  let last = performance.now();
  let lastWaited = waitedForCpuMs();
  const tick = (): void => {
    const now = performance.now();
    const waited = waitedForCpuMs();
    const still = now - last - tickMs;
    stillMs = Math.max(stillMs, still);
    heldMs = Math.max(heldMs, still - (waited - lastWaited));
    last = now;
    lastWaited = waited;
  };
  const clock = setInterval(tick, tickMs);
  return () => {
    clearInterval(clock);
    tick();
    return { stillMs, heldMs };
  };
}

/** The longest that `work` kept the event loop from turning, in milliseconds. */
export async function longestPause(work: () => Promise<unknown>): Promise<number> {
  const stop = watchEventLoop();
  try {
    await work();
  } finally {
    stop();
  }
  return stop().heldMs;
}

/** How long this thread was ready to run while others had the CPUs; 0 where the system does not tell. */
function waitedForCpuMs(): number {
  try {
    const [, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(waited) / 1e6;
  } catch {
    return 0;
  }
}
