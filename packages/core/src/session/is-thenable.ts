/** Whether a value is a promise of any make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** What code of others answered: a promise of any make as one of ours, all else as it is. */
export function atOnceOrLater<T>(value: T | PromiseLike<T>): T | Promise<T> {
  return isThenable(value) ? Promise.resolve(value as PromiseLike<T>) : (value as T);
}
