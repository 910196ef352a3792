/**
 * The server's clock as this process knows it. Each answer that brings a time narrows it down: the server read its
 * clock after the question left and before the answer came.
 */
export class ServerClock {
  readonly #fixed: (() => number) | undefined;
  #offset = 0;

  constructor(fixed: (() => number) | undefined) {
    this.#fixed = fixed;
  }

  /** Whether the time is told by the server; else by a clock that was given. */
  get isServers(): boolean {
    return this.#fixed === undefined;
  }

  now(): number {
    return this.#fixed?.() ?? Math.round(Date.now() + this.#offset);
  }

  /** @param asked when the question left, on `Date.now()` @param told what the server said */
  observe(asked: number, told: number): void {
    const most = told - asked;
    const least = told - Date.now();
    this.#offset = Math.min(most, Math.max(least, this.#offset));
  }
}
