import type {
  JournalEntry,
  MovedTimeline,
  RecordToWrite,
  SessionWrites,
  StoredSession,
  TimelineRow,
  TurnRow,
  VariablesEntry,
} from '@lexigram/ai-session/store';
import { timelineValues } from '../timeline-values.ts';
import type { Statement } from './connections.ts';
import { bitsOfId, isOneOfOwn, placeOfId } from './id-place.ts';
import { numberOf, originText, serverNow, sessionColumns } from './rows.ts';

/** A column, the type and the value given for each row, and what is made of it. */
type Column<T> = readonly [
  column: string,
  type: string,
  value: (row: T) => unknown,
  made?: (given: string) => string,
];

/**
 * The statement that writes all of a flush, or nothing of it. The session's row comes first, and only if it is
 * there at the version that is expected do the others see it: they take its key from it.
 *
 * @param tables the oid of the sessions' table that the session was read from
 * @param isServersTime whether a session whose time runs out on the server's clock takes no writes any more
 */
export function flushStatement(
  schema: string,
  tables: number,
  writes: SessionWrites,
  isServersTime: boolean,
): Statement {
  return new Flush(schema, tables, writes, isServersTime).statement();
}

/** No clock that was asked a moment ago is wrong by more: further from its end a session is not asked for it. */
const doubtMs = 60_000;

/** Whether the server has the last word on the time of a session that is not up, as this process knows it. */
export function isGuarded({ before, now, row }: SessionWrites, isServersTime: boolean): boolean {
  const left = (before?.expiresAt ?? Number.POSITIVE_INFINITY) - now;
  const isSeen = row.revision !== before?.revision;
  return isServersTime && isSeen && left > 0 && left < doubtMs;
}

/**
 * The condition that no turn is one of the session's own, as `isOwn` tells of a row of `t`. A version is known only to whoever read it or wrote
 * it, and so every statement that asks for it sees all turns that came before.
 */
export function areNew(schema: string, isOwn: string): string {
  return `NOT EXISTS (SELECT FROM "${schema}".ai_turns t WHERE ${isOwn})`;
}

class Flush {
  readonly #schema: string;
  readonly #tables: number;
  readonly #writes: SessionWrites;
  readonly #isServersTime: boolean;
  readonly #values: unknown[] = [];
  readonly #parts: string[] = [];

  constructor(schema: string, tables: number, writes: SessionWrites, isServersTime: boolean) {
    this.#schema = schema;
    this.#tables = tables;
    this.#writes = writes;
    this.#isServersTime = isServersTime;
  }

  statement(): Statement {
    const { before, cleared, journal, moved, owner, records, timelines, turns, variables } =
      this.#writes;
    if (owner !== undefined) this.#owner(owner);
    const position = `(SELECT base FROM ${this.#table('positions')}) + pg_current_xact_id()::text::bigint`;
    const session = before === undefined ? this.#insertSession() : this.#updateSession(before);
    this.#parts.push(`s AS (${session} RETURNING key, ${position} AS position)`);
    if (timelines.length > 0) this.#insert('timelines', timelines, timelineRow(this.#writes));
    for (const timeline of moved) this.#move(timeline);
    if (turns.length > 0) this.#insert('turns', turns, turnRow(this.#writes), { placed: true });
    if (cleared.length > 0) this.#clear(cleared);
    if (variables.length > 0) this.#insert('variables', variables, variablesRow);
    const isFreed = this.#delete();
    const after = isFreed ? ' WHERE (SELECT count(*) FROM d) >= 0' : ' WHERE true';
    const fresh = records.filter((it) => it.mustBeNew);
    if (fresh.length > 0) this.#insert('records', fresh, recordRow, { end: after });
    const others = records.filter((it) => !it.mustBeNew);
    if (others.length > 0) {
      this.#insert('records', others, recordRow, {
        end: `${after} ON CONFLICT (session, kind, key) DO UPDATE SET version = excluded.version,
          value = excluded.value, label = excluded.label, due_at = excluded.due_at`,
      });
    }
    if (journal.length > 0) this.#insert('journal', journal, journalRow, { placed: true });
    const text = `WITH ${this.#parts.join(',\n')}
      SELECT s.key, ${serverNow} AS clock, (SELECT listening FROM ${this.#table('positions')}) AS listening FROM s`;
    return { text, values: this.#values };
  }

  #table(name: string): string {
    return `"${this.#schema}".ai_${name}`;
  }

  #bind(value: unknown, type: string): string {
    return `$${this.#values.push(value)}::${type}`;
  }

  #owner({ owner, version }: NonNullable<SessionWrites['owner']>): void {
    const user = this.#bind(owner.userId, 'text');
    const tenant = this.#bind(owner.tenantId ?? '', 'text');
    if (version === 0) {
      // Later than any version that a row of this owner ever had, should it have been dropped meanwhile.
      const first = this.#bind(Math.floor(this.#writes.now) * 1_000, 'bigint');
      this.#parts.push(
        `o AS (INSERT INTO ${this.#table('owners')} (user_id, tenant_id, version)
         VALUES (${user}, ${tenant}, ${first}) RETURNING 1)`,
      );
      return;
    }
    this.#parts.push(
      `o AS (UPDATE ${this.#table('owners')} SET version = version + 1 WHERE user_id = ${user}
       AND tenant_id = ${tenant} AND version = ${this.#bind(version, 'bigint')} RETURNING 1)`,
    );
  }

  #insertSession(): string {
    const { owner, row } = this.#writes;
    const names = sessionColumns.map(([, column]) => column).join(', ');
    const values = sessionColumns.map(([field, , type]) => this.#bind(row[field], type));
    return `INSERT INTO ${this.#table('sessions')} (version, ${names})
      SELECT 1, ${values.join(', ')}${owner === undefined ? '' : ' FROM o'}`;
  }

  #updateSession(before: StoredSession): string {
    const { owner, row, unseen, version } = this.#writes;
    const changed = sessionColumns.filter(([field]) => row[field] !== before[field]);
    // Two texts serve all changes: that of nothing but a version, and that of everything.
    const named = changed.length === 0 ? [] : sessionColumns;
    const sets = named.map(
      ([field, column, type]) => `, ${column} = ${this.#bind(row[field], type)}`,
    );
    const guards = [
      `key = ${this.#bind(before.key, 'bigint')}`,
      `version = ${this.#bind(version, 'bigint')}`,
      `tableoid = ${this.#tables}`,
      ...(isGuarded(this.#writes, this.#isServersTime) ? [`expires_at > ${serverNow}`] : []),
      ...(owner === undefined ? [] : ['EXISTS (SELECT FROM o)']),
      ...(unseen.length === 0 ? [] : [this.#areNew(before.key, unseen)]),
    ];
    return `UPDATE ${this.#table('sessions')} SET version = version + 1${sets.join('')}
      WHERE ${guards.join(' AND ')}`;
  }

  #areNew(key: number, turnIds: readonly string[]): string {
    const bits = this.#bind(turnIds.map(bitsOfId), 'integer[]');
    return areNew(this.#schema, isOneOfOwn(this.#bind(key, 'bigint'), this.#texts(turnIds), bits));
  }

  #insert<T>(
    name: string,
    rows: readonly T[],
    columns: readonly Column<T>[],
    { end = '', placed = false }: { readonly end?: string; readonly placed?: boolean } = {},
  ): void {
    const names = columns.map(([column]) => column);
    const from = placed ? ['s.key', 's.position'] : ['s.key'];
    const [only] = rows;
    const isOne = rows.length === 1;
    const cells = columns.map(([column, type, value, made = same]) =>
      made(isOne ? this.#bind(value(only as T), type) : `k.${column}`),
    );
    const arrays = isOne
      ? []
      : columns.map(([, type, value]) => this.#bind(rows.map(value), `${type}[]`));
    const many = isOne ? '' : ` CROSS JOIN unnest(${arrays.join(', ')}) AS k (${names.join(', ')})`;
    const select = `${[...from, ...cells].join(', ')} FROM s${many}`;
    this.#parts.push(
      `p${this.#parts.length} AS (INSERT INTO ${this.#table(name)}
       (session, ${placed ? 'position, ' : ''}${names.join(', ')}) SELECT ${select}${end})`,
    );
  }

  #move({ by, timeline }: MovedTimeline): void {
    const n = this.#bind(numberOf(timeline.timelineId), 'integer');
    const sets = timelineRow(this.#writes)
      .filter(([column]) => column !== 'n')
      .map(([column, type, value]) => `${column} = ${this.#bind(value(timeline), type)}`);
    this.#parts.push(
      `p${this.#parts.length} AS (UPDATE ${this.#table('timelines')} t SET ${sets.join(', ')} FROM s
       WHERE t.session = s.key AND t.n = ${n})`,
    );
    if (by.seq === 0 && by.tokens === 0 && by.cost === 0) return;
    const seq = this.#bind(by.seq, 'integer');
    const tokens = this.#bind(by.tokens, 'bigint');
    const cost = this.#bind(by.cost, 'bigint');
    this.#parts.push(
      `p${this.#parts.length} AS (UPDATE ${this.#table('turns')} t SET seq = t.seq + ${seq},
         tokens = t.tokens + ${tokens}, cost = t.cost + ${cost} FROM s
       WHERE t.session = s.key AND t.timeline = ${n})`,
    );
  }

  #clear(cleared: readonly number[]): void {
    this.#parts.push(
      `m AS (UPDATE ${this.#table('turns')} t SET checkpoint = 0 FROM s WHERE t.session = s.key
       AND t.checkpoint > 0 AND t.checkpoint = ANY (${this.#bind(cleared, 'integer[]')}))`,
    );
  }

  /** Whether something is deleted: a label that moves on must be free before its new record comes. */
  #delete(): boolean {
    const { deleted } = this.#writes;
    const [only] = deleted;
    if (only === undefined) return false;
    const table = this.#table('records');
    const where =
      deleted.length === 1
        ? `USING s WHERE r.session = s.key AND r.kind = ${this.#bind(only.kind, 'text')}
           AND r.key = ${this.#bind(only.key, 'text')}`
        : `WHERE r.ctid = ANY (ARRAY(SELECT f.ctid FROM s CROSS JOIN unnest(${this.#texts(
            deleted.map((it) => it.kind),
          )}, ${this.#texts(deleted.map((it) => it.key))}) AS k (kind, key)
           CROSS JOIN LATERAL (SELECT ctid FROM ${table}
             WHERE session = s.key AND kind = k.kind AND key = k.key LIMIT 1) f))`;
    this.#parts.push(`d AS (DELETE FROM ${table} r ${where} RETURNING 1)`);
    return true;
  }

  #texts(values: readonly string[]): string {
    return this.#bind(values, 'text[]');
  }
}

const same = (given: string): string => given;

function timelineRow({ sessionId }: SessionWrites): readonly Column<TimelineRow>[] {
  const value = (i: number) => (row: TimelineRow) => timelineValues(row, sessionId)[i];
  return [
    ['n', 'integer', (row) => numberOf(row.timelineId)],
    ['base_seq', 'integer', (row) => row.base?.seq ?? null],
    ['base', 'text', value(0)],
    ['lineage', 'text', value(1)],
    ['chunks', 'text', value(2)],
    ['root', 'text', value(3)],
    ['previous', 'integer', value(4)],
    ['merged', 'text', value(5)],
  ];
}

/** The time of a turn's flush, where it is not the turn's own. */
export function storedAt(at: number, now: number): string {
  return at === now ? '' : String(now);
}

function turnRow({ now }: SessionWrites): readonly Column<TurnRow>[] {
  return [
    ['timeline', 'integer', (row) => numberOf(row.timelineId)],
    ['seq', 'integer', (row) => row.seq],
    ['turn_id', 'text', (row) => row.turnId],
    ['id_place', 'integer', (row) => bitsOfId(row.turnId), (bits) => placeOfId('s.key', bits)],
    ['body', 'text', (row) => row.body],
    ['at', 'bigint', (row) => row.at],
    ['stored_at', 'text', ({ at }) => storedAt(at, now)],
    ['revision', 'integer', (row) => row.revision ?? 0],
    ['tokens', 'bigint', (row) => row.tokens],
    ['cost', 'bigint', (row) => row.cost],
    ['origin', 'text', originText],
    ['checkpoint', 'integer', (row) => row.checkpoint ?? 0],
  ];
}

const variablesRow: readonly Column<VariablesEntry>[] = [
  ['timeline', 'integer', (row) => numberOf(row.at.timelineId)],
  ['position', 'bigint', (row) => row.at.position],
  ['revision', 'bigint', (row) => row.at.revision],
  ['whole', 'boolean', (row) => row.whole],
  ['value', 'text', (row) => row.value],
];

const recordRow: readonly Column<RecordToWrite>[] = [
  ['kind', 'text', ({ record }) => record.kind],
  ['key', 'text', ({ record }) => record.key],
  ['version', 'bigint', ({ record }) => record.version],
  ['value', 'text', ({ record }) => record.value],
  ['label', 'text', ({ record }) => record.label],
  ['due_at', 'bigint', ({ record }) => record.dueAt],
  ['created_at', 'bigint', ({ record }) => record.createdAt],
];

const journalRow: readonly Column<JournalEntry>[] = [
  ['revision', 'bigint', (row) => row.revision],
  ['part', 'integer', (row) => row.part],
  ['type', 'text', (row) => row.type],
  ['at', 'bigint', (row) => row.at],
  ['data', 'text', (row) => row.data],
];
