import type { SessionStore } from '@lexigram/ai-session';
import type {
  LineageEntry,
  Point,
  RecordRow,
  Segment,
  SessionRow,
  TimelineRow,
  TurnRow,
} from '@lexigram/ai-session/store';
import { faultsOfFile } from './database-rows.ts';
import { openPlace } from './open-place.ts';

/**
 * What does not fit together in a database: one line for each fault, none if all is well. Each history is read
 * from its rows and added up anew; nothing of what the store has counted is believed.
 */
export async function faultsIn(place: string): Promise<string[]> {
  const store = await openPlace(place);
  try {
    const path = place.replace(/^sqlite:/, '');
    const ofFile = /^[a-z]+:/.test(path) ? [] : faultsOfFile(path);
    return [...ofFile, ...(await faultsOf(store))];
  } finally {
    await store.close();
  }
}

/** The same for all living sessions of any store. */
export async function faultsOf(store: SessionStore): Promise<string[]> {
  const faults: string[] = [];
  let after: { createdAt: number; sessionId: string } | undefined;
  do {
    const page = await store.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    for (const session of page) faults.push(...(await faultsOfSession(store, session)));
    after = page.at(-1);
  } while (after !== undefined);
  return faults;
}

/** The same for one session. */
export function faultsOfSession(store: SessionStore, session: SessionRow): Promise<string[]> {
  return new Inspection(store, session).faults();
}

type Totals = Pick<Point, 'seq' | 'turnId' | 'tokens' | 'cost'>;

const everything = Number.MAX_SAFE_INTEGER;
const start: Totals = { seq: 0, turnId: null, tokens: 0, cost: 0 };

class Inspection {
  readonly #store: SessionStore;
  readonly #session: SessionRow;
  readonly #faults: string[] = [];
  readonly #ends = new Map<string, Totals>();

  constructor(store: SessionStore, session: SessionRow) {
    this.#store = store;
    this.#session = session;
  }

  async faults(): Promise<string[]> {
    const { head, lifetime, sessionId, timelines } = this.#session;
    const own: TurnRow[] = [];
    for (let n = 1; n <= timelines; n++) own.push(...(await this.#timeline(`${sessionId}.${n}`)));
    const [further] = await this.#store.timelines([`${sessionId}.${timelines + 1}`]);
    if (further) this.#say(`has more than ${timelines} timelines`);

    const end = this.#ends.get(head.timelineId);
    const stored = { ...this.#session, ...head };
    if (!same(end, stored)) {
      this.#say(`its head ${totals(stored)} is not the end ${totals(end)} of ${head.timelineId}`);
    }
    const written = own.filter((turn) => turn.origin === null).map(spentBy);
    const counted = [
      written.length,
      written.reduce((sum, { tokens }) => sum + tokens, 0),
      written.reduce((sum, { cost }) => sum + cost, 0),
    ].join();
    const lifetimes = [lifetime.turns, lifetime.tokens, lifetime.cost].join();
    if (lifetimes !== counted) this.#say(`lifetime ${lifetimes}, its turns add up to ${counted}`);
    await this.#revisions();
    await this.#records();
    await this.#variables();
    return this.#faults;
  }

  #say(fault: string): void {
    this.#faults.push(`${this.#session.sessionId}: ${fault}`);
  }

  /** Checks a timeline, notes where it ends, and answers its own turns. */
  async #timeline(timelineId: string): Promise<readonly TurnRow[]> {
    const [timeline] = await this.#store.timelines([timelineId]);
    if (!timeline) {
      // One that was staged and not used is erased, and its number with it; what is read is missed where it is read.
      if (timelineId === this.#session.head.timelineId) this.#say(`${timelineId} is missing`);
      return [];
    }
    const base = await this.#base(timeline);
    await this.#lineage(timeline, base.seq);
    const { previous } = timeline;
    if (previous !== null && !this.#ends.has(previous)) this.#say(`${previous} is missing`);

    const turns = await this.#turns([{ timelineId, from: 1, to: everything }]);
    let at = base;
    for (const turn of turns) {
      const { cost, tokens } = spentBy(turn);
      const { seq, turnId } = turn;
      const next = { seq: at.seq + 1, turnId, tokens: at.tokens + tokens, cost: at.cost + cost };
      if (!same(next, turn)) {
        this.#say(`${timelineId} has ${totals(turn)} where ${totals(next)} belongs`);
      }
      at = { ...next, seq };
    }
    this.#ends.set(timelineId, at);
    return turns;
  }

  async #base({ base, timelineId }: TimelineRow): Promise<Totals> {
    if (base === null) return start;
    const { seq } = base;
    const [turn = start] = await this.#turns([{ timelineId: base.timelineId, from: seq, to: seq }]);
    if (!same(turn, base)) this.#say(`the base ${totals(base)} of ${timelineId} is not there`);
    return base;
  }

  /** The history up to the base: every seq once, in turns that are there. */
  async #lineage({ lineage, timelineId }: TimelineRow, end: number): Promise<void> {
    const seqs: number[] = [];
    for (const segment of await this.#segments(lineage, end)) {
      seqs.push(...(await this.#turns([segment])).map((turn) => turn.seq));
    }
    if (seqs.length !== end || seqs.some((seq, i) => seq !== i + 1)) {
      this.#say(`${timelineId} stands at ${end}, its history before is ${seqs}`);
    }
  }

  async #segments(entries: readonly LineageEntry[], end: number): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const [i, { from, level, timelineId }] of entries.entries()) {
      const to = (entries[i + 1]?.from ?? end + 1) - 1;
      if (level === 0) {
        segments.push({ timelineId, from, to });
        continue;
      }
      const [host] = await this.#store.timelines([timelineId]);
      const chunk = host?.chunks[level];
      if (chunk === undefined) this.#say(`the chunk of level ${level} in ${timelineId} is missing`);
      else segments.push(...(await this.#segments(chunk, to)));
    }
    return segments;
  }

  /** Every revision left something in the feed, and none is ahead of the session. */
  async #revisions(): Promise<void> {
    const { revision, sessionId } = this.#session;
    const feed = await this.#store.feed(sessionId, { after: 0, limit: everything });
    const seen = new Set(feed.map((item) => item.revision));
    for (let n = 1; n <= revision; n++)
      if (!seen.delete(n)) this.#say(`revision ${n} left nothing`);
    if (seen.size > 0) this.#say(`revisions ${[...seen]} are ahead of it`);
  }

  async #records(): Promise<void> {
    const { checkpoints, moves, parent, sessionId } = this.#session;
    const reflog = await this.#all('move');
    if (reflog.length !== moves) this.#say(`${moves} moves, ${reflog.length} in the reflog`);
    for (const { key, value } of await this.#all('checkpoint')) {
      const { point } = JSON.parse(value) as { point: Point };
      if (Number(key) > checkpoints) this.#say(`checkpoint ${key} is ahead of it`);
      if (!(point.seq <= (this.#ends.get(point.timelineId)?.seq ?? -1))) {
        this.#say(`checkpoint ${key} stands nowhere`);
      }
    }
    for (const { key, value } of await this.#all('redo')) {
      if (!this.#ends.has(key) || !this.#ends.has(value)) this.#say(`redo ${key} → ${value}`);
    }
    if (parent === null || (await this.#store.session(parent.sessionId)) === null) return;
    const known = await this.#store.record(parent.sessionId, 'branch', sessionId);
    if (known === null) this.#say('its parent does not know it');
  }

  async #variables(): Promise<void> {
    const { variables } = this.#session;
    if (variables === null) return;
    const found = await this.#store.variables(variables);
    if (JSON.stringify(found?.at) !== JSON.stringify(variables)) this.#say('lost its variables');
    else JSON.parse(found?.json ?? '');
  }

  #turns(segments: readonly Segment[]): Promise<readonly TurnRow[]> {
    return this.#store.turns(segments, { limit: everything, order: 'asc' });
  }

  #all(kind: string): Promise<readonly RecordRow[]> {
    return this.#store.records(this.#session.sessionId, kind, { limit: everything });
  }
}

function spentBy({ body }: TurnRow): { readonly tokens: number; readonly cost: number } {
  const { cost = 0, usage } = JSON.parse(body) as {
    readonly cost?: number;
    readonly usage?: { readonly totalTokens?: number };
  };
  return { tokens: usage?.totalTokens ?? 0, cost };
}

function same(a: Totals | undefined, b: Totals): boolean {
  return totals(a) === totals(b);
}

function totals(point: Totals | undefined): string {
  return `${point?.seq}:${point?.turnId} (${point?.tokens} tokens, ${point?.cost} n$)`;
}
