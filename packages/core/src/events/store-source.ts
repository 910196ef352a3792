import type { Engine } from '../manager/engine.ts';
import type { Changes, ChangesPage } from '../store/port.ts';
import type { Change } from '../store/rows.ts';
import { isLater, noTag, type StorePlace, storeCursor, storeTagOf } from './cursor.ts';
import { readHappening, toEvent } from './happening.ts';
import type { SessionEvent, SubscriptionResetEvent } from './session-event.ts';
import type { EventBatch, EventSource } from './session-source.ts';

/** Whose sessions are asked for; without a user everybody's. */
export type OwnerFilter = Pick<ChangesPage, 'userId' | 'tenantId'>;

const page = 100;

/** The events of many sessions, in the store's order of changes: those of each session in the order of revisions. */
export class StoreSource implements EventSource {
  readonly #engine: Engine;
  readonly #filter: OwnerFilter;
  readonly #after: StorePlace | undefined;
  #position = '';
  /** What the cursor names, until it was looked for. */
  #sought: StorePlace | undefined;

  constructor(engine: Engine, filter: OwnerFilter, after: StorePlace | undefined) {
    this.#engine = engine;
    this.#filter = filter;
    this.#after = after;
  }

  async open(): Promise<string> {
    if (this.#after !== undefined) {
      this.#position = this.#after.before;
      this.#sought = this.#after.tag === noTag ? undefined : this.#after;
      return storeCursor(this.#after);
    }
    this.#position = (await this.#changes(null)).next;
    return this.#here();
  }

  #changes(after: string | null): Promise<Changes> {
    return this.#engine.store.changes({ ...this.#filter, after, limit: page });
  }

  #here(): string {
    const position = this.#position;
    return storeCursor({ before: position, position, tag: noTag });
  }

  skipTo(position: string): void {
    if (isLater(position, this.#position)) this.#position = position;
  }

  async read(): Promise<EventBatch> {
    const { done, items, next, reset } = await this.#changes(this.#position);
    if (reset) return this.#reset(next, done);
    const start = this.#skipSeen(items, next, done);
    if (start === null) return this.#reset(next, done);
    const events = this.#toEvents(items, start);
    this.#position = next;
    return { events, more: !done, ended: false };
  }

  #reset(next: string, done: boolean): EventBatch {
    this.#position = next;
    this.#sought = undefined;
    const cursor = this.#here();
    const event: SubscriptionResetEvent = {
      type: 'reset',
      sessionId: null,
      revision: null,
      cursor,
    };
    return { events: [Object.freeze(event)], more: !done, ended: false };
  }

  /**
   * How many items the cursor has behind it. Null if another item stands where its own stood, or the store does not
   * reach that far. An item that is gone was deleted with its session, which the changes tell.
   */
  #skipSeen(items: readonly Change[], next: string, done: boolean): number | null {
    const sought = this.#sought;
    if (sought === undefined) return 0;
    const there = items.filter(({ position }) => position === sought.position);
    const at = items.findIndex(
      (item) => item.position === sought.position && tagOfChange(item) === sought.tag,
    );
    if (at === -1 && there.length > 0) return null;
    if (at === -1 && done && isLater(sought.position, next)) return null;
    const passed = items.length > 0 || done || !isLater(sought.position, next);
    if (passed) this.#sought = undefined;
    return at + 1;
  }

  #toEvents(items: readonly Change[], start: number): readonly SessionEvent[] {
    let before = this.#position;
    let position = this.#position;
    const events: SessionEvent[] = [];
    for (const [i, item] of items.entries()) {
      if (item.position !== position) before = position;
      position = item.position;
      if (i < start) continue;
      const happening = readHappening(item);
      const tag = storeTagOf(happening, item.sessionId);
      const cursor = storeCursor({ before, position, tag });
      events.push(toEvent(happening, item, cursor));
    }
    return events;
  }
}

function tagOfChange(item: Change): string {
  return storeTagOf(readHappening(item), item.sessionId);
}
