import type { SessionWrites, StoredSession, TurnRow } from '@lexigram/ai-session/store';
import type { Statement } from './connections.ts';
import { areNew, type Column, isGuarded, turnRow } from './flush.ts';
import { serverNow, sessionColumns } from './rows.ts';
import type { Tables } from './schema.ts';

/** What plain turns change of their session's row, automatic checkpoints among them. */
const moved: ReadonlySet<keyof StoredSession> = new Set([
  'seq',
  'turnId',
  'tokens',
  'cost',
  'lifetimeTurns',
  'lifetimeTokens',
  'lifetimeCost',
  'revision',
  'updatedAt',
  'expiresAt',
  'checkpoints',
  'checkpointsHeld',
  'checkpointFloor',
]);
const columns = sessionColumns.filter(([field]) => moved.has(field));
const others = sessionColumns.filter(([field]) => !moved.has(field));

/** Which of its parts a statement has. */
interface Shape {
  readonly isOne: boolean;
  readonly guarded: boolean;
  readonly asks: boolean;
  /** For turns under ids that are taken to be new. */
  readonly looks: boolean;
}

/** Milliseconds after which it is asked again what time it is, and whether others listen for commits. */
const askMs = 250;

/**
 * The statements of flushes that bring turns and nothing else, which most do. They do what `flushStatement` does,
 * with fewer parts, and their texts are made once.
 */
export class TurnFlushes {
  readonly #schema: string;
  readonly #tables: Tables;
  readonly #texts = new Map<string, string>();
  #asked = Number.NEGATIVE_INFINITY;

  constructor(schema: string, tables: Tables) {
    this.#schema = schema;
    this.#tables = tables;
  }

  /** Null if there is more to write than turns. */
  statement(writes: SessionWrites, isServersTime: boolean): Statement | null {
    const { before, row, turns, unseen, version } = writes;
    if (before === undefined || turns.length === 0 || !isPlain(writes, before)) return null;
    const isOne = turns.length === 1;
    const guarded = isGuarded(writes, isServersTime);
    const asks = performance.now() - this.#asked > askMs;
    if (asks) this.#asked = performance.now();
    const values: unknown[] = [before.key, version, this.#tables.base];
    for (const [field] of columns) values.push(row[field]);
    const cells = turnRow(writes);
    for (const [, , value] of cells) {
      values.push(isOne ? value(turns[0] as TurnRow) : turns.map(value));
    }
    const looks = unseen.length > 0;
    if (looks) values.push(unseen);
    const shape = `${isOne} ${guarded} ${asks} ${looks}`;
    let text = this.#texts.get(shape);
    if (text === undefined) {
      text = this.#text(cells, { isOne, guarded, asks, looks });
      this.#texts.set(shape, text);
    }
    return { text, values };
  }

  #text(cells: readonly Column<TurnRow>[], { asks, guarded, isOne, looks }: Shape): string {
    const sets = columns.map(([, column, type], i) => `${column} = $${i + 4}::${type}`).join(', ');
    const names = cells.map(([column]) => column).join(', ');
    const places = cells.map(([, type], i) => `$${i + 4 + columns.length}::${type}`);
    const arrays = places.map((place) => `${place}[]`).join(', ');
    const [rows, from] = isOne
      ? [places.join(', '), 's']
      : ['k.*', `s CROSS JOIN unnest(${arrays}) AS k (${names})`];
    const guards = [
      'key = $1::bigint',
      'version = $2::bigint',
      `tableoid = ${this.#tables.oid}`,
      ...(guarded ? [`expires_at > ${serverNow}`] : []),
      ...(looks
        ? [areNew(this.#schema, '$1::bigint', `$${4 + columns.length + cells.length}::text[]`)]
        : []),
    ];
    const listening = `(SELECT listening FROM "${this.#schema}".ai_positions)`;
    return `WITH s AS (UPDATE "${this.#schema}".ai_sessions SET version = version + 1, ${sets}
        WHERE ${guards.join(' AND ')}
        RETURNING key)
      INSERT INTO "${this.#schema}".ai_turns (session, position, ${names})
      SELECT s.key, $3::bigint + pg_current_xact_id()::text::bigint, ${rows} FROM ${from}
      RETURNING session AS key${asks ? `, ${serverNow} AS clock, ${listening} AS listening` : ''}`;
  }
}

function isPlain(writes: SessionWrites, before: StoredSession): boolean {
  const { cleared, deleted, journal, moved, owner, records, row, timelines, variables } = writes;
  const rest = [cleared, deleted, journal, moved, records, timelines, variables];
  return (
    owner === undefined &&
    rest.every((rows) => rows.length === 0) &&
    others.every(([field]) => row[field] === before[field])
  );
}
