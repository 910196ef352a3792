import type { Wake } from '../store/port.ts';
import type { Concern, Subscription } from './subscription.ts';

/** Subscriptions by what they are about, so that a change looks up those that it concerns and passes no others. */
export class Waiting {
  readonly #all = new Set<Subscription>();
  readonly #byConcern = new Map<string, Set<Subscription>>();

  get size(): number {
    return this.#all.size;
  }

  add(subscription: Subscription): void {
    this.#all.add(subscription);
    const key = keyOf(subscription.concern);
    const there = this.#byConcern.get(key);
    if (there === undefined) this.#byConcern.set(key, new Set([subscription]));
    else there.add(subscription);
  }

  delete(subscription: Subscription): void {
    this.#all.delete(subscription);
    const key = keyOf(subscription.concern);
    const there = this.#byConcern.get(key);
    there?.delete(subscription);
    if (there?.size === 0) this.#byConcern.delete(key);
  }

  /** Those that a wake concerns, each once. */
  concernedBy({ sessions }: Wake): ReadonlySet<Subscription> {
    if (sessions === null) return new Set(this.#all);
    const found = new Set(this.#byConcern.get(''));
    for (const { owner, sessionId } of sessions) {
      for (const one of this.#byConcern.get(`session ${sessionId}`) ?? []) found.add(one);
      for (const one of this.#byConcern.get(`user ${owner.userId}`) ?? []) {
        const { tenantId } = one.concern;
        if (tenantId === undefined || tenantId === owner.tenantId) found.add(one);
      }
    }
    return found;
  }

  [Symbol.iterator](): IterableIterator<Subscription> {
    return new Set(this.#all).values();
  }
}

function keyOf({ sessionId, userId }: Concern): string {
  if (sessionId !== undefined) return `session ${sessionId}`;
  return userId === undefined ? '' : `user ${userId}`;
}
