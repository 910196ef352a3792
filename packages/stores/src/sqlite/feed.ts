import { type FeedItem, type FeedPage, turnItems } from '@lexigram/ai-session/store';
import { journalData } from './journal.ts';
import { type SqlRow, toTurn, turnColumns } from './rows.ts';
import type { Statements } from './statements.ts';

/** A session as far as its feed needs it. */
interface Fed {
  readonly key: number;
  readonly sessionId: string;
  readonly timeline: number;
  readonly status: string;
  readonly revision: number;
}

type JournalRow = Exclude<FeedItem, { readonly type: 'turn' }>;

/** The first turn of a timeline that a page may need. */
interface Start {
  readonly timeline: number;
  readonly seq: number;
  readonly revision: number;
}

/** All that one revision left. */
type ByRevision = Map<number, FeedItem[]>;

/**
 * A page of a session's feed. All turns of one revision lie on one timeline, and along a timeline revisions rise: so
 * the journal and the current timeline are read, and others only if a revision of the page has no turns there. No
 * index of its own is kept for it, and what a page costs does not grow with the history.
 */
export function readFeed(
  statements: Statements,
  sessionId: string,
  { after, limit }: FeedPage,
): readonly FeedItem[] {
  const session = statements
    .sql(
      `SELECT s.key, s.session_id AS sessionId, s.timeline, s.status, s.revision FROM ai_current s
       WHERE s.session_id = ?`,
    )
    .get(sessionId) as unknown as Fed | undefined;
  if (session === undefined || session.revision <= after) return [];
  const page = new FeedReader(statements, session, after, limit);
  return page.read();
}

class FeedReader {
  readonly #sql: Statements['sql'];
  readonly #session: Fed;
  readonly #after: number;
  readonly #limit: number;
  readonly #found: ByRevision = new Map();

  constructor({ sql }: Statements, session: Fed, after: number, limit: number) {
    this.#sql = sql;
    this.#session = session;
    this.#after = after;
    this.#limit = limit;
  }

  read(): readonly FeedItem[] {
    const journal = this.#journal();
    if (this.#session.status !== 'deleted') {
      this.#readTimeline(this.#start(this.#session.timeline));
      this.#readOthers(journal);
    }
    for (const [revision, items] of journal) this.#add(revision, items);
    const items: FeedItem[] = [];
    for (const revision of [...this.#found.keys()].sort((a, b) => a - b)) {
      if (items.length >= this.#limit) break;
      items.push(...(this.#found.get(revision) ?? []));
    }
    return items;
  }

  #add(revision: number, items: readonly FeedItem[]): void {
    const there = this.#found.get(revision);
    if (there === undefined) this.#found.set(revision, [...items]);
    else there.push(...items);
  }

  #journal(): ByRevision {
    const { key, revision } = this.#session;
    const rows = this.#whole(
      this.#sql(
        `SELECT j.revision, j.type, j.at, ${journalData} FROM ai_journal j
         WHERE session = ? AND revision > ? AND revision <= ? ORDER BY revision, part`,
      ).iterate(key, this.#after, revision),
    );
    const items = (rows as unknown as JournalRow[]).map(
      ({ at, data, revision, type }): FeedItem => ({ revision, type, at, data }),
    );
    return Map.groupBy(items, (item) => item.revision);
  }

  /** As many rows as the page may take, and the rest of the last one's revision. */
  #whole(rows: Iterable<SqlRow>): readonly SqlRow[] {
    const read: SqlRow[] = [];
    for (const row of rows) {
      if (read.length >= this.#limit && row.revision !== read.at(-1)?.revision) break;
      read.push(row);
    }
    return read;
  }

  #readTimeline(start: Start | null): void {
    if (start === null) return;
    const { key, revision, sessionId } = this.#session;
    const rows = this.#whole(
      this.#sql(
        `SELECT ${turnColumns} FROM ai_turns t
         WHERE session = ? AND timeline = ? AND seq >= ? AND revision <= ? ORDER BY seq`,
      ).iterate(key, start.timeline, start.seq, revision),
    );
    for (const row of rows) this.#add(row.revision as number, turnItems(toTurn(row, sessionId)));
  }

  /** Reads other timelines that may hold turns of this page. */
  #readOthers(journal: ByRevision): void {
    let last = this.#end(journal);
    if (this.#hasTurnsUpTo(last)) return;
    const { key, timeline } = this.#session;
    const others = this.#sql('SELECT n FROM ai_timelines WHERE session = ? AND n <> ?')
      .all(key, timeline)
      .flatMap(({ n }) => this.#start(n as number) ?? [])
      .sort((a, b) => a.revision - b.revision);
    for (const start of others) {
      if (start.revision > last) return;
      this.#readTimeline(start);
      last = this.#end(journal);
    }
  }

  /** The last revision of the page, by what was found so far: what is found later can only bring it forward. */
  #end(journal: ByRevision): number {
    let items = 0;
    const revisions = new Set([...this.#found.keys(), ...journal.keys()]);
    for (const revision of [...revisions].sort((a, b) => a - b)) {
      for (const from of [this.#found, journal]) items += from.get(revision)?.length ?? 0;
      if (items >= this.#limit) return revision;
    }
    return this.#session.revision;
  }

  #hasTurnsUpTo(last: number): boolean {
    for (let revision = this.#after + 1; revision <= last; revision++) {
      if (!this.#found.has(revision)) return false;
    }
    return true;
  }

  /** The first turn on a timeline whose revision is after the page's; null if there is none. */
  #start(timeline: number): Start | null {
    const { key } = this.#session;
    const end = (order: 'ASC' | 'DESC'): Start | undefined =>
      this.#sql(
        `SELECT timeline, seq, ifnull(revision, 0) AS revision FROM ai_turns
         WHERE session = ? AND timeline = ? ORDER BY seq ${order} LIMIT 1`,
      ).get(key, timeline) as Start | undefined;
    const last = end('DESC');
    if (last === undefined || last.revision <= this.#after) return null;
    const first = end('ASC') ?? last;
    if (first.revision > this.#after) return first;
    // From the end in steps that double, since most look for what is new; then by halves.
    let [low, high] = [last.seq, last.seq];
    for (let step = 1; ; step *= 2) {
      low = Math.max(first.seq, low - step);
      if (this.#revisionAt(timeline, low) <= this.#after) break;
      high = low;
    }
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (this.#revisionAt(timeline, middle) <= this.#after) low = middle;
      else high = middle;
    }
    return { timeline, seq: high, revision: this.#revisionAt(timeline, high) };
  }

  /** Turns that were filled in out of sight have none, and come before all that have. */
  #revisionAt(timeline: number, seq: number): number {
    const row = this.#sql(
      'SELECT revision FROM ai_turns WHERE session = ? AND timeline = ? AND seq = ?',
    ).get(this.#session.key, timeline, seq);
    return (row?.revision as number | null | undefined) ?? 0;
  }
}
