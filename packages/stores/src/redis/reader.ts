import {
  checkpointKey,
  type FeedItem,
  type FeedPage,
  isVisible,
  type KeyPage,
  type ListQuery,
  markRecord,
  mergeCheckpoints,
  type NumberPage,
  numbersOf,
  type Owner,
  parseTimelineId,
  type RecordRow,
  type Segment,
  type SessionRow,
  type StoredSession,
  type TimelineRow,
  type TurnPage,
  type TurnRow,
  toSessionHead,
  turnItems,
  type VariablesRow,
  type VariablesVersion,
  variablesInterval,
} from '@lexigram/ai-session/store';
import type { RunRedis } from './client.ts';
import type { RedisEngine } from './engine.ts';
import { toSessionError } from './faults.ts';
import type { FeedElement } from './flush.ts';
import type { Keys } from './keys.ts';
import { type MarkAnswer, type Placed, toMark, toTurn } from './placed.ts';
import type { Placement, StateAndMetadata } from './placement.ts';
import {
  basePlace,
  foldMembers,
  numberOf,
  padded,
  readOffset,
  readRecord,
  readScores,
  readState,
  readTimeline,
  readTurn,
  upTo,
} from './rows.ts';
import { turnsScript } from './scripts.ts';

/** Sessions that a list looks at in one go. */
const listSpan = 200;

/** The reads of the port. */
export class Reader {
  readonly #run: RunRedis;
  readonly #engine: RedisEngine;
  readonly #placement: Placement;
  readonly #keys: Keys;
  readonly #until: () => number;

  /** @param run repeats what can be repeated */
  constructor(
    run: RunRedis,
    engine: RedisEngine,
    placement: Placement,
    keys: Keys,
    until: () => number,
  ) {
    this.#run = run;
    this.#engine = engine;
    this.#placement = placement;
    this.#keys = keys;
    this.#until = until;
  }

  async #read(...command: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#run(command, this.#until());
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async #ask(sessionId: string, ...questions: readonly (readonly (string | number)[])[]) {
    try {
      return await this.#engine.ask(sessionId, questions, this.#until());
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async session(sessionId: string, owner: Owner | undefined): Promise<SessionRow | null> {
    const { answers, state } = await this.#ask(sessionId, ['record', 'metadata', '']);
    if (state === undefined || !isVisible(state.row, owner)) return null;
    return this.#toRow(state.row, answers[0] as string | null);
  }

  #toRow(row: StoredSession, metadata: string | null): SessionRow {
    return {
      ...toSessionHead(row, this.#engine.now()),
      metadata: metadata === null ? '{}' : readRecord('metadata', '', metadata).value,
    };
  }

  async timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    const bySession = Map.groupBy(new Set(ids), (id) => parseTimelineId(id).sessionId);
    const found = new Map<string, TimelineRow>();
    await Promise.all(
      [...bySession].map(async ([sessionId, wanted]) => {
        const key = `${this.#keys.base(sessionId)}tl`;
        const rows = (await this.#read('HMGET', key, ...wanted.map(numberOf))) as (string | null)[];
        for (const [i, text] of rows.entries()) {
          const id = wanted[i] as string;
          if (text !== null) found.set(id, readTimeline(text, sessionId, numberOf(id)));
        }
      }),
    );
    return ids.map((id) => found.get(id) ?? null);
  }

  async startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    { after, limit }: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    const place = basePlace(base);
    const key = `${this.#keys.base(sessionId)}b`;
    const from = after === undefined ? `[${place}` : `(${place}${padded(after)}`;
    const members = (await this.#read(
      ...['ZRANGEBYLEX', key, from, `[${place}~`, 'LIMIT', 0, limit],
    )) as string[];
    if (members.length === 0) return [];
    const ids = members.map((member) => `${sessionId}.${Number(member.slice(place.length))}`);
    const rows = await this.timelines(ids);
    return rows.filter((row) => row !== null);
  }

  async turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    const ordered = page.order === 'asc' ? segments : segments.toReversed();
    const bySession = Map.groupBy(ordered, (it) => parseTimelineId(it.timelineId).sessionId);
    const found = await Promise.all(
      [...bySession].map(([sessionId, own]) => this.#turnsOf(sessionId, own, page)),
    );
    const sign = page.order === 'asc' ? 1 : -1;
    return found
      .flat()
      .sort((a, b) => sign * (a.seq - b.seq))
      .slice(0, page.limit);
  }

  async #turnsOf(
    sessionId: string,
    segments: readonly Segment[],
    { limit, order }: TurnPage,
  ): Promise<readonly TurnRow[]> {
    const words = segments.flatMap(({ from, timelineId, to }) => [numberOf(timelineId), from, to]);
    const keys = [this.#keys.base(sessionId)];
    const call = { script: turnsScript, keys, words: [limit, order, ...words].map(String) };
    let answers: (readonly [offset: string, first: string, rows: string[]])[];
    try {
      answers = (await this.#run(call, this.#until())) as typeof answers;
    } catch (error) {
      throw toSessionError(error);
    }
    return answers.flatMap(([text, first, rows], i) => {
      const { timelineId } = segments[i] as Segment;
      const offset = readOffset(text);
      return rows.map((row, at) => {
        return readTurn(row, { timelineId, seq: Number(first) + at }, offset).turn;
      });
    });
  }

  async findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    const found = await Promise.all(
      sessionIds.map(async (sessionId) => {
        const { answers } = await this.#ask(sessionId, ['turn', turnId], ['copies', turnId]);
        const [own, places] = answers as [Placed | null, string | null];
        const turns = own === null ? [] : [toTurn(own, sessionId).turn];
        if (places === null) return turns;
        const copies = await this.#ask(
          sessionId,
          ...places.split(',').map((place) => ['at', place]),
        );
        for (const copy of copies.answers as (Placed | null)[]) {
          if (copy !== null) turns.push(toTurn(copy, sessionId).turn);
        }
        return turns;
      }),
    );
    return found.flat();
  }

  async variables(at: VariablesVersion): Promise<VariablesRow | null> {
    const { sessionId } = parseTimelineId(at.timelineId);
    const key = `${this.#keys.base(sessionId)}v:${numberOf(at.timelineId)}`;
    const range = [`[${upTo(at)}`, '-', 'LIMIT', 0, variablesInterval + 1];
    const members = (await this.#read('ZREVRANGEBYLEX', key, ...range)) as string[];
    return foldMembers(at.timelineId, members) ?? null;
  }

  async record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    if (kind !== 'checkpoint') {
      const hash = `${this.#keys.base(sessionId)}r:${kind}`;
      const text = (await this.#read('HGET', hash, key)) as string | null;
      return text === null ? null : readRecord(kind, key, text);
    }
    const n = Number(key);
    const isNumber = key === checkpointKey(n);
    const { answers, state } = await this.#ask(
      sessionId,
      ['record', kind, key],
      ...(isNumber ? [['mark', n]] : []),
    );
    const [text, mark = null] = answers as [string | null, MarkAnswer | null];
    if (text !== null) return readRecord(kind, key, text);
    const held = state !== undefined && state.row.status !== 'deleted';
    if (mark === null || !held || n <= state.row.checkpointFloor) return null;
    return markRecord(toMark(mark, sessionId));
  }

  async records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    const base = this.#keys.base(sessionId);
    const { after, limit, order } = page;
    const range =
      order === 'desc'
        ? ['ZREVRANGEBYLEX', `${base}k:${kind}`, after === undefined ? '+' : `(${after}`, '-']
        : ['ZRANGEBYLEX', `${base}k:${kind}`, after === undefined ? '-' : `(${after}`, '+'];
    const keys = (await this.#read(...range, 'LIMIT', 0, limit)) as string[];
    const texts =
      keys.length === 0
        ? []
        : ((await this.#read('HMGET', `${base}r:${kind}`, ...keys)) as (string | null)[]);
    const records = texts.flatMap((text, i) =>
      text === null ? [] : [readRecord(kind, keys[i] as string, text)],
    );
    return kind === 'checkpoint' ? this.#withMarks(sessionId, records, page) : records;
  }

  async #withMarks(
    sessionId: string,
    records: readonly RecordRow[],
    page: KeyPage,
  ): Promise<readonly RecordRow[]> {
    const { state } = await this.#ask(sessionId);
    if (state === undefined || state.row.status === 'deleted') return records;
    const { from, to } = numbersOf(page, state.row.checkpointFloor);
    // Keys that are no numbers stand nowhere among marks.
    if (Number.isNaN(from) || Number.isNaN(to)) return records;
    const key = `${this.#keys.base(sessionId)}m`;
    const found = await this.#read(
      ...(page.order === 'desc'
        ? ['ZREVRANGEBYSCORE', key, `(${to}`, `(${from}`]
        : ['ZRANGEBYSCORE', key, `(${from}`, `(${to}`]),
      ...['WITHSCORES', 'LIMIT', 0, page.limit],
    );
    const numbers = readScores(found).map(([, n]) => n);
    const { answers } = await this.#ask(sessionId, ...numbers.map((n) => ['mark', n]));
    const marks = (answers as (MarkAnswer | null)[])
      .filter((mark) => mark !== null)
      .map((mark) => toMark(mark, sessionId));
    return mergeCheckpoints(marks, records, page);
  }

  async list(query: ListQuery): Promise<readonly SessionRow[]> {
    const key = query.userId === undefined ? this.#keys.all : this.#keys.user(query.userId);
    const items: SessionRow[] = [];
    let { after } = query;
    let span = Math.min(listSpan, query.limit + 1);
    for (;;) {
      // By the place of the last one, not by a count: sessions come and go meanwhile.
      const range = [after?.createdAt ?? '+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, span];
      const found = readScores(await this.#read('ZREVRANGEBYSCORE', key, ...range));
      const places = found
        .map(([sessionId, createdAt]) => ({ sessionId, createdAt }))
        .filter((place) => isAfter(place, after));
      for (const row of await this.#rowsOf(places.map(({ sessionId }) => sessionId))) {
        if (!fits(row, query)) continue;
        items.push(row);
        if (items.length === query.limit) return items;
      }
      if (found.length < span) return items;
      // Where more were made in one millisecond than are read at a time, nothing new was among them.
      span = places.length === 0 ? span * 2 : listSpan;
      after = places.at(-1) ?? after;
    }
  }

  async #rowsOf(ids: readonly string[]): Promise<readonly SessionRow[]> {
    if (ids.length === 0) return [];
    let found: readonly StateAndMetadata[];
    try {
      found = await this.#placement.readRows(ids, this.#until());
    } catch (error) {
      throw toSessionError(error);
    }
    return ids.flatMap((sessionId, i) => {
      const [state, metadata] = found[i] ?? [null, null];
      if (state === null) return [];
      const { row } = readState(state, sessionId);
      return isVisible(row, undefined) ? [this.#toRow(row, metadata)] : [];
    });
  }

  async feed(sessionId: string, { after, limit }: FeedPage): Promise<readonly FeedItem[]> {
    const items: FeedItem[] = [];
    for (let from = after; items.length < limit; ) {
      const { answers, state } = await this.#ask(
        sessionId,
        ['GET', `${this.#keys.base(sessionId)}fo`],
        // Each revision left one element, and at least one item unless it was collected.
        ['feed', from, limit],
      );
      if (state === undefined) return [];
      const [gone, elements] = answers as [string | null, string[]];
      const first = Math.max(from, Number(gone ?? 0)) + 1;
      const numbered = elements.map((text, i) => ({ revision: first + i, text }));
      for (const item of await this.#feedItems(sessionId, numbered)) items.push(item);
      if (elements.length < limit) break;
      from = first + elements.length - 1;
    }
    const last = items[limit - 1]?.revision ?? Number.POSITIVE_INFINITY;
    return items.filter((item) => item.revision <= last);
  }

  /** What elements of a session's feed tell. */
  async #feedItems(
    sessionId: string,
    elements: readonly { readonly revision: number; readonly text: string }[],
  ): Promise<readonly FeedItem[]> {
    const parsed = elements.map(({ revision, text }) => ({
      revision,
      element: JSON.parse(text) as FeedElement,
    }));
    const spans = parsed.flatMap(({ element: { t } }) => (t === undefined ? [] : [['span', ...t]]));
    const { answers } = spans.length === 0 ? { answers: [] } : await this.#ask(sessionId, ...spans);
    const stretches = (answers as (readonly [offset: string, rows: string[]])[])[Symbol.iterator]();
    return parsed.flatMap(({ element: { j = [], t }, revision }) => {
      const items: FeedItem[] = [];
      if (t !== undefined) {
        const [n, first] = t;
        const [offset, rows] = stretches.next().value ?? ['', []];
        for (const [i, row] of rows.entries()) {
          items.push(...turnItems(toTurn([`${n}`, first + i, offset, row], sessionId).turn));
        }
      }
      for (const [, type, at, data] of j) {
        items.push({ revision, type, at, data } as FeedItem);
      }
      return items;
    });
  }
}

/** Whether a session comes after another one in a list: newest first. */
function isAfter(
  { createdAt, sessionId }: { readonly createdAt: number; readonly sessionId: string },
  after: ListQuery['after'],
): boolean {
  if (after === undefined || createdAt < after.createdAt) return true;
  return createdAt === after.createdAt && sessionId < after.sessionId;
}

function fits(row: SessionRow, { metadata, status, tenantId }: ListQuery): boolean {
  if (tenantId !== undefined && row.owner.tenantId !== tenantId) return false;
  if (status !== undefined && row.status !== status) return false;
  if (metadata === undefined || metadata.size === 0) return true;
  const values = JSON.parse(row.metadata) as Record<string, unknown>;
  return [...metadata].every(([key, value]) => Object.hasOwn(values, key) && values[key] === value);
}
