/** A pause before knocking at a lock again: longer with each attempt, up to 10 ms. */
export function pause(attempt: number): Promise<void> {
  const ms = jitter(Math.min(attempt, 10));
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A random part of `ms`, so that waiting processes do not knock at the same moment. */
function jitter(ms: number): number {
  return (crypto.getRandomValues(new Uint8Array(1))[0] as number) * (ms / 255);
}
