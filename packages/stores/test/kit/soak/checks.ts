import {
  SessionCleanupScheduler,
  SessionStoreUnavailableError,
  type SessionSubscription,
  type Sessions,
} from '@lexigram/ai-session';
import type { SessionRow } from '@lexigram/ai-session/store';
import { faultsOfSession } from '../database-faults.ts';
import { faultsIn, keyOf, keyOfItem, type Noted } from '../noted-events.ts';
import { openUrl } from '../open-url.ts';
import { pause } from '../pause.ts';
import { Ledger } from './ledger.ts';
import { leftAt } from './left-at.ts';
import type { Trouble } from './trouble.ts';
import { soakConfig } from './words.ts';

const everything = Number.MAX_SAFE_INTEGER;

/** Looks at what a soak left: against what was acknowledged, what rows add up to, and what a subscriber was told. */
export class Checks {
  readonly ledger = new Ledger();
  readonly #sessions: Sessions;
  readonly #trouble: Trouble;
  /** Whether acknowledged turns may be lost: then they are counted. */
  readonly #mayLose: boolean;
  readonly #note: (name: string, value: number) => void;
  readonly #heard = new Map<string, Noted[]>();
  #isFollowing = true;
  #subscription: SessionSubscription | undefined;
  /** The least and the most turns that reports may tell of. */
  #turns: [low: number, high: number] = [0, 0];
  checked = 0;
  lost = 0;

  constructor(
    sessions: Sessions,
    trouble: Trouble,
    mayLose: boolean,
    note: (name: string, value: number) => void,
  ) {
    this.#note = note;
    this.#sessions = sessions;
    this.#trouble = trouble;
    this.#mayLose = mayLose;
  }

  /** A session that nobody is at any more. */
  async check(id: string, row: SessionRow | null): Promise<void> {
    const { store } = this.#sessions;
    this.checked += 1;
    if (row === null) {
      this.#trouble.say(`${id} is gone`);
      return;
    }
    const turns = await this.#turnsOf(row);
    const lost = this.ledger.lost(id, new Set(turns));
    this.lost += lost.length;
    if (lost.length > 0 && !this.#mayLose) {
      this.#trouble.say(`${id}: lost ${lost.length} turns, the first is ${lost[0]}`);
    }
    this.#trouble.say(...this.ledger.faults(id, turns));
    this.#trouble.say(...(await this.#trouble.surely(() => faultsOfSession(store, row))));
    // Of what was lost somebody was told.
    if (lost.length === 0) await this.#checkEvents(row);
    this.#count(id, row.lifetime.turns, row.lifetime.turns + lost.length);
  }

  /** A session that was deleted while others were at it. */
  deleted(id: string): void {
    this.#count(id, ...this.ledger.bounds(id));
  }

  #count(id: string, low: number, high: number): void {
    this.#turns = [this.#turns[0] + low, this.#turns[1] + high];
    this.ledger.forget(id);
    this.#heard.delete(id);
  }

  /** The turns that a session wrote itself, on all its timelines. */
  async #turnsOf({ sessionId, timelines }: SessionRow): Promise<readonly string[]> {
    const page = { limit: everything, order: 'asc' } as const;
    const turns: string[] = [];
    for (let n = 1; n <= timelines; n++) {
      const segment = { timelineId: `${sessionId}.${n}`, from: 1, to: everything };
      const { store } = this.#sessions;
      const rows = await this.#trouble.surely(() => store.turns([segment], page));
      for (const { origin, turnId } of rows) if (origin === null) turns.push(turnId);
    }
    return turns;
  }

  async #checkEvents({ revision, sessionId }: SessionRow): Promise<void> {
    const { store } = this.#sessions;
    const since = performance.now();
    const until = since + 20_000;
    const heard = (): readonly Noted[] => this.#heard.get(sessionId) ?? [];
    while ((heard().at(-1)?.revision ?? 0) < revision && performance.now() < until) {
      this.#trouble.check();
      await pause(20);
    }
    this.#note('telling', performance.now() - since);
    const page = { after: 0, limit: everything };
    const items = await this.#trouble.surely(() => store.feed(sessionId, page));
    const expected = items.map((item) => {
      return { revision: item.revision, key: keyOfItem(item, sessionId) };
    });
    const faults = faultsIn(heard(), expected);
    this.#trouble.say(...faults.map((fault) => `${sessionId}, as it was told: ${fault}`));
  }

  /** Notes what a subscriber to everything is told, until it is to end. */
  async follow(begin: string): Promise<void> {
    for (let after = begin; this.#isFollowing; ) {
      const subscription = this.#sessions.events.subscribe({ after });
      this.#subscription = subscription;
      try {
        for await (const event of subscription) {
          after = event.cursor;
          if (event.type === 'reset') this.#trouble.say('a subscriber was told to begin anew');
          const { revision, sessionId } = event;
          if (sessionId === undefined || sessionId === null) continue;
          const notes = this.#heard.get(sessionId) ?? [];
          this.#heard.set(sessionId, notes);
          notes.push({ cursor: after, sessionId, revision: revision ?? 0, key: keyOf(event) });
        }
      } catch (error) {
        if (!(error instanceof SessionStoreUnavailableError)) {
          this.#trouble.failed('a subscription', error);
          return;
        }
        await pause(100);
      }
    }
  }

  async followNoMore(): Promise<void> {
    this.#isFollowing = false;
    await this.#subscription?.return();
  }

  /** Sums are those of the rows; and when all sessions have ended and time has passed nothing is left. */
  async checkRest(url: string): Promise<void> {
    const { store } = this.#sessions;
    const query = { groupBy: 'user', limit: 10 } as const;
    const { total } = await this.#trouble.surely(() => store.report(query));
    const [low, high] = this.#turns;
    if (total.turns < low || total.turns > high || total.cost !== total.turns * 1_000) {
      const told = `reports tell of ${total.turns} turns for ${total.cost} n$`;
      this.#trouble.say(`${told}, the rows of ${low} to ${high}`);
    }
    let now = Date.now();
    const clock = (): number => now;
    const later = await openUrl(url, { clock });
    const cleanup = new SessionCleanupScheduler({ store: later, config: soakConfig }, { clock });
    for (let round = 0; round < 6; round++) {
      now += 40 * 86_400_000;
      const { failures } = await cleanup.sweep();
      for (const { error } of failures) this.#trouble.say(`the last sweep: ${error}`);
      await later.collect({ before: now, limit: 1_000 });
    }
    await later.close();
    const left = await leftAt(url);
    if (left.length > 0) this.#trouble.say(`left: ${left.slice(0, 10).join(', ')}`);
  }
}
