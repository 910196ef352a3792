import type { PostgresClient } from './client.ts';

/** A connection that is wanted all the time goes back to the pool after so long, for others may wait for it. */
const longestMs = 10;

/**
 * Connections whose statement was answered just now, until the event loop has turned: who then asks for the next
 * one has it at once, without the pool taking it back and handing it out again.
 */
export class KeptClients {
  readonly #giveBack: (client: PostgresClient) => void;
  readonly #kept: PostgresClient[] = [];
  /** When the pool lent them. */
  readonly #lentAt = new WeakMap<PostgresClient, number>();
  #isTurning = false;

  constructor(giveBack: (client: PostgresClient) => void) {
    this.#giveBack = giveBack;
  }

  lent(client: PostgresClient): void {
    this.#lentAt.set(client, performance.now());
  }

  take(): PostgresClient | undefined {
    return this.#kept.pop();
  }

  keep(client: PostgresClient): void {
    if (performance.now() - (this.#lentAt.get(client) ?? 0) > longestMs) {
      this.#giveBack(client);
      return;
    }
    this.#kept.push(client);
    if (this.#isTurning) return;
    this.#isTurning = true;
    // What waits for a flush to be answered asks in the turn after it.
    setImmediate(() => setImmediate(this.clear));
  }

  /** Gives all of them back. */
  readonly clear = (): void => {
    this.#isTurning = false;
    for (const client of this.#kept.splice(0)) this.#giveBack(client);
  };
}
