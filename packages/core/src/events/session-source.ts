import type { Engine } from '../manager/engine.ts';
import type { SessionRow } from '../store/rows.ts';
import { noTag, type SessionPlace, sessionCursor, tagOf } from './cursor.ts';
import { type Happening, readHappening, toEvent, type WhoseSession } from './happening.ts';
import type { SessionEvent, SubscriptionResetEvent } from './session-event.ts';

/** What a subscription reads at a time. */
export interface EventBatch {
  readonly events: readonly (SessionEvent | SubscriptionResetEvent)[];
  /** Whether there may be more to read at once. */
  readonly more: boolean;
  /** Whether nothing can follow. */
  readonly ended: boolean;
}

/** Where a subscription reads: from a cursor on, or from now. */
export interface EventSource {
  /** Finds where to begin, and answers the cursor there. @throws what is wrong with the session or the cursor */
  open(): Promise<string>;
  read(): Promise<EventBatch>;
  /** Told that nothing of this subscription lies up to a position, while nothing waits to be read. */
  skipTo(position: string): void;
}

const page = 100;

/** The events of one session, in the order of its revisions. */
export class SessionSource implements EventSource {
  readonly #engine: Engine;
  readonly #sessionId: string;
  readonly #after: SessionPlace | undefined;
  #whose: WhoseSession | undefined;
  #place: SessionPlace = { revision: 0, tag: noTag };

  constructor(engine: Engine, sessionId: string, after: SessionPlace | undefined) {
    this.#engine = engine;
    this.#sessionId = sessionId;
    this.#after = after;
  }

  async open(): Promise<string> {
    const row = await this.#engine.session(this.#sessionId);
    this.#whose = row;
    this.#place = this.#after ?? (await this.#end(row));
    return sessionCursor(this.#place);
  }

  /** The last item that there is now. */
  async #end({ revision, sessionId }: SessionRow): Promise<SessionPlace> {
    const items = await this.#engine.store.feed(sessionId, { after: revision - 1, limit: 1 });
    const last = items.filter((item) => item.revision === revision).at(-1);
    return { revision, tag: last === undefined ? noTag : tagOf(readHappening(last)) };
  }

  skipTo(): void {}

  async read(): Promise<EventBatch> {
    const { revision, tag } = this.#place;
    // From the revision before: whether what was seen last still stands there tells that nothing took its place.
    const happenings = await this.#feed(revision - 1);
    const seen = happenings.filter((one) => one.revision === revision);
    const at = tag === noTag ? seen.length - 1 : seen.findIndex((one) => tagOf(one) === tag);
    if (seen.length > 0 && at === -1) return this.#reset();
    if (happenings.length === 0 && (await this.#wentBack())) return this.#reset();
    const full = happenings.length >= page;
    if (full && at === happenings.length - 1) {
      const next = await this.#feed(revision);
      return this.#batch(next, next.length >= page);
    }
    return this.#batch(happenings.slice(at + 1), full);
  }

  async #feed(after: number): Promise<readonly Happening[]> {
    const items = await this.#engine.store.feed(this.#sessionId, { after, limit: page });
    return items.map(readHappening);
  }

  /** Whether the store has lost what was seen: its revision is lower than that. */
  async #wentBack(): Promise<boolean> {
    const row = await this.#engine.store.session(this.#sessionId);
    return row !== null && row.revision < this.#place.revision;
  }

  async #reset(): Promise<EventBatch> {
    const row = await this.#engine.session(this.#sessionId);
    this.#place = await this.#end(row);
    return { events: [this.#resetEvent()], more: true, ended: false };
  }

  #resetEvent(): SubscriptionResetEvent {
    const { revision } = this.#place;
    const cursor = sessionCursor(this.#place);
    return Object.freeze({ type: 'reset', sessionId: this.#sessionId, revision, cursor });
  }

  #batch(happenings: readonly Happening[], more: boolean): EventBatch {
    const events: (SessionEvent | SubscriptionResetEvent)[] = [];
    for (const happening of happenings) {
      const { revision } = happening;
      if (revision > this.#place.revision + 1) {
        // Each revision leaves something: one that left nothing was dropped.
        this.#place = { revision: revision - 1, tag: noTag };
        events.push(this.#resetEvent());
      }
      this.#place = { revision, tag: tagOf(happening) };
      events.push(toEvent(happening, this.#whose as WhoseSession, sessionCursor(this.#place)));
    }
    return { events, more, ended: happenings.at(-1)?.type === 'deleted' };
  }
}
