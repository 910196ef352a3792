import { SessionCorruptDataError } from '../errors.ts';
import { parseTimelineId } from '../session/ids.ts';
import type { SessionStore } from '../store/port.ts';
import type {
  Head,
  Point,
  Segment,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from '../store/rows.ts';
import { segmentsBetween } from './lineage.ts';

/** Reads the history that ends at a head: its turns, its points and its variables at any seq. */
export class History {
  readonly #store: SessionStore;
  readonly #head: Head;
  readonly #timeline: TimelineRow;

  private constructor(store: SessionStore, head: Head, timeline: TimelineRow) {
    this.#store = store;
    this.#head = head;
    this.#timeline = timeline;
  }

  /** Null if the timeline is gone, as it is when its session was deleted meanwhile. */
  static async open(store: SessionStore, head: Head): Promise<History | null> {
    const [timeline] = await store.timelines([head.timelineId]);
    return timeline ? new History(store, head, timeline) : null;
  }

  /** The timeline at whose end the history stands. */
  get timeline(): TimelineRow {
    return this.#timeline;
  }

  get length(): number {
    return this.#head.seq;
  }

  readonly load = (ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> =>
    this.#store.timelines(ids);

  segments(from: number, to: number): Promise<readonly Segment[]> {
    return segmentsBetween(this.load, this.#timeline, from, Math.min(to, this.#head.seq));
  }

  /**
   * The turns from seq `from` to `to`, all of them: the caller keeps the span to a page.
   *
   * @throws SessionCorruptDataError if one is missing, out of order, or not the one a timeline stands on
   */
  async turns(from: number, to: number): Promise<readonly TurnRow[]> {
    const last = Math.min(to, this.#head.seq);
    if (last < from) return [];
    const segments = await this.segments(from, last);
    const rows = await this.#store.turns(segments, { limit: last - from + 1, order: 'asc' });
    for (let i = 0; i <= last - from; i++) {
      if (rows[i]?.seq !== from + i) this.#corrupt(from + i, 'the turn is missing');
    }
    const base = this.#timeline.base;
    const atBase = base === null ? undefined : rows[base.seq - from];
    if (base !== null && atBase !== undefined && atBase.turnId !== base.turnId) {
      this.#corrupt(base.seq, `expected the turn '${base.turnId}', found '${atBase.turnId}'`);
    }
    return rows;
  }

  #corrupt(seq: number, problem: string): never {
    throw new SessionCorruptDataError(
      `timeline '${this.#timeline.timelineId}' seq ${seq}`,
      problem,
    );
  }

  /** The newest turn with this id in the history, or null. */
  async find(turnId: string): Promise<TurnRow | null> {
    const segments = await this.segments(1, this.#head.seq);
    const sessions = new Set(segments.map((s) => parseTimelineId(s.timelineId).sessionId));
    const found = await this.#store.findTurns(turnId, [...sessions]);
    let newest: TurnRow | null = null;
    for (const turn of found) {
      if (turn.seq > (newest?.seq ?? 0) && holds(segments, turn)) newest = turn;
    }
    return newest;
  }

  /** Whether the history shows this very turn. */
  async has(turn: { readonly timelineId: string; readonly seq: number }): Promise<boolean> {
    if (turn.seq > this.#head.seq) return false;
    return holds(await this.segments(turn.seq, turn.seq), turn);
  }

  /** The point after turn `seq`, with the variables as they were there before later patches on their own. */
  async point(seq: number): Promise<Point> {
    if (seq === 0) {
      const variables = await this.#variablesOn(this.#timeline.root, 0);
      return {
        timelineId: this.#timeline.root,
        seq: 0,
        turnId: null,
        tokens: 0,
        cost: 0,
        variables,
      };
    }
    const [turn] = await this.turns(seq, seq);
    if (turn === undefined) return this.#corrupt(seq, 'the turn is missing');
    return {
      timelineId: turn.timelineId,
      seq,
      turnId: turn.turnId,
      tokens: turn.tokens,
      cost: turn.cost,
      variables: await this.#variablesOn(turn.timelineId, seq),
    };
  }

  async #variablesOn(timelineId: string, seq: number): Promise<VariablesVersion | null> {
    const at = { timelineId, position: seq * 2, revision: Number.MAX_SAFE_INTEGER };
    const found = await this.#store.variables(at);
    if (found !== null) return found.at;
    const [timeline] = await this.#store.timelines([timelineId]);
    return timeline?.base?.variables ?? null;
  }
}

/** Whether a place lies on segments. */
export function holds(
  segments: readonly Segment[],
  turn: { readonly timelineId: string; readonly seq: number },
): boolean {
  return segments.some(
    (segment) =>
      segment.timelineId === turn.timelineId && segment.from <= turn.seq && turn.seq <= segment.to,
  );
}

/** The end of a timeline: what the pointer points at when it swings there. */
export async function endOf(store: SessionStore, timeline: TimelineRow): Promise<Point> {
  const { base, timelineId } = timeline;
  const from = (base?.seq ?? 0) + 1;
  const own = [{ timelineId, from, to: Number.MAX_SAFE_INTEGER }];
  const [last] = await store.turns(own, { limit: 1, order: 'desc' });
  const everything = Number.MAX_SAFE_INTEGER;
  const found: VariablesRow | null = await store.variables({
    timelineId,
    position: everything,
    revision: everything,
  });
  const variables = found?.at ?? base?.variables ?? null;
  if (last === undefined) {
    const start = { timelineId, seq: 0, turnId: null, tokens: 0, cost: 0 };
    return { ...start, ...base, timelineId, variables };
  }
  return {
    timelineId,
    seq: last.seq,
    turnId: last.turnId,
    tokens: last.tokens,
    cost: last.cost,
    variables,
  };
}
