import type { SessionWrites, StoredSession, TurnRow } from '@lexigram/ai-session/store';
import type { Statement } from './connections.ts';
import { areNew, isGuarded, storedAt } from './flush.ts';
import { bitsOfId, isOneOfOwn, isOwnTurn, placeOfId } from './id-place.ts';
import { isPlain } from './plain-turns.ts';
import { serverNow } from './rows.ts';
import type { Tables } from './schema.ts';

/** Which parts a statement has. */
interface Shape {
  readonly isOne: boolean;
  /** With times of their own. */
  readonly isTimed: boolean;
  /** With automatic checkpoints. */
  readonly isMarked: boolean;
  /** Under ids that are taken to be new. */
  readonly isNew: boolean;
  /** Into a session whose time may be up. */
  readonly isGuarded: boolean;
  /** Asks what time it is, and whether others listen for commits. */
  readonly asks: boolean;
}

/** Milliseconds after which that is asked again. */
const askMs = 250;

/** Stands between the texts of many turns: neither JSON nor an id has this character. */
const separator = '\u001f';

/**
 * The statements of flushes that bring turns and nothing else, which most do. They do what `flushStatement` does
 * with as few values as there can be, for each costs the caller and the server alike, and their texts are made once.
 */
export class TurnFlushes {
  readonly #schema: string;
  readonly #tables: Tables;
  /** By the shape's number. */
  readonly #texts: (string | undefined)[] = [];
  #asked = Number.NEGATIVE_INFINITY;

  constructor(schema: string, tables: Tables) {
    this.#schema = schema;
    this.#tables = tables;
  }

  /** Null if there is more to write than turns. */
  statement(writes: SessionWrites, isServersTime: boolean): Statement | null {
    const { before, now, row, turns, unseen } = writes;
    if (before === undefined || !isPlain(writes, before, separator)) return null;
    const asks = performance.now() - this.#asked > askMs;
    if (asks) this.#asked = performance.now();
    const shape = {
      isOne: turns.length === 1,
      isTimed: row.updatedAt !== now || turns.some(({ at }) => at !== now),
      isMarked: isMarked(row, before),
      isNew: unseen.length > 0,
      isGuarded: isGuarded(writes, isServersTime),
      asks,
    };
    return { text: this.#text(shape), values: valuesOf(writes, before.key, shape) };
  }

  #text(shape: Shape): string {
    const number = numberOf(shape);
    const text = this.#texts[number] ?? this.#made(shape);
    this.#texts[number] = text;
    return text;
  }

  /** Parameters are numbered in the order of `valuesOf`. */
  #made({ asks, isGuarded, isMarked, isNew, isOne, isTimed }: Shape): string {
    let count = 12;
    const next = (type: string): string => `$${++count}::${type}`;
    const marks = isMarked
      ? `, checkpoints = ${next('bigint')}, checkpoints_held = ${next('bigint')}, checkpoint_floor = ${next('bigint')}`
      : '';
    const bits = next(isOne ? 'integer' : 'integer[]');
    const given = isOne
      ? oneTurn(bits, next, { isMarked, isTimed })
      : manyTurns(bits, next, { isMarked, isTimed });
    const isOwn = isOne
      ? isOwnTurn('$1::bigint', '$4::text', bits)
      : isOneOfOwn('$1::bigint', next('text[]'), next('integer[]'));
    const guards = [
      'key = $1::bigint',
      'version = $2::bigint',
      `tableoid = ${this.#tables.oid}`,
      ...(isGuarded ? [`expires_at > ${serverNow}`] : []),
      ...(isNew ? [areNew(this.#schema, isOwn)] : []),
    ];
    const listening = `(SELECT listening FROM "${this.#schema}".ai_positions)`;
    return `WITH s AS (UPDATE "${this.#schema}".ai_sessions SET version = version + 1, seq = $3::integer,
          turn_id = $4::text, tokens = $5::bigint, cost = $6::bigint, lifetime_turns = $7::bigint,
          lifetime_tokens = $8::bigint, lifetime_cost = $9::bigint, revision = $10::bigint,
          updated_at = $11::bigint, expires_at = $12::bigint${marks}
        WHERE ${guards.join(' AND ')}
        RETURNING key, timeline)
      INSERT INTO "${this.#schema}".ai_turns (session, position, timeline, origin, seq, id_place, turn_id, tokens, cost,
        revision, body, at, stored_at, checkpoint)
      SELECT s.key, ${this.#tables.base} + pg_current_xact_id()::text::bigint, s.timeline, '', ${given}
      ${asks ? `RETURNING ${serverNow} AS clock, ${listening} AS listening` : ''}`;
  }
}

function numberOf({ asks, isGuarded, isMarked, isNew, isOne, isTimed }: Shape): number {
  let number = isOne ? 1 : 0;
  for (const has of [isTimed, isMarked, isNew, isGuarded, asks])
    number = number * 2 + (has ? 1 : 0);
  return number;
}

type Next = (type: string) => string;
type Given = Pick<Shape, 'isMarked' | 'isTimed'>;

/** One turn is where its session then stands. */
function oneTurn(bits: string, next: Next, { isMarked, isTimed }: Given): string {
  const body = next('text');
  const times = isTimed ? `${next('bigint')}, ${next('text')}` : "$11::bigint, ''";
  const checkpoint = isMarked ? next('integer') : '0';
  return `$3::integer, ${placeOfId('s.key', bits)}, $4::text, $5::bigint, $6::bigint, ($10::bigint)::integer, ${body}, ${times}, ${checkpoint}
    FROM s`;
}

function manyTurns(bits: string, next: Next, { isMarked, isTimed }: Given): string {
  const texts = (): string => `string_to_array(${next('text')}, chr(31))`;
  const first = next('integer');
  const columns = ['bits', 'turn_id', 'tokens', 'cost', 'revision', 'body'];
  const arrays = [bits, texts(), next('bigint[]'), next('bigint[]'), next('integer[]'), texts()];
  if (isTimed) {
    columns.push('at', 'stored_at');
    arrays.push(next('bigint[]'), next('text[]'));
  }
  if (isMarked) {
    columns.push('checkpoint');
    arrays.push(next('integer[]'));
  }
  return `${first} + k.n::integer, ${placeOfId('s.key', 'k.bits')}, k.turn_id, k.tokens, k.cost, k.revision, k.body,
      ${isTimed ? 'k.at, k.stored_at' : "$11::bigint, ''"}, ${isMarked ? 'k.checkpoint' : '0'}
    FROM s CROSS JOIN unnest(${arrays.join(', ')}) WITH ORDINALITY AS k (${columns.join(', ')}, n)`;
}

function valuesOf(
  { now, row, turns, unseen, version }: SessionWrites,
  key: number,
  { isMarked, isNew, isOne, isTimed }: Shape,
): unknown[] {
  const { cost, expiresAt, lifetimeCost, lifetimeTokens, lifetimeTurns } = row;
  const { revision, seq, tokens, turnId, updatedAt } = row;
  const lifetime = [lifetimeTurns, lifetimeTokens, lifetimeCost];
  const values: unknown[] = [
    key,
    version,
    seq,
    turnId,
    tokens,
    cost,
    ...lifetime,
    revision,
    updatedAt,
    expiresAt,
  ];
  if (isMarked) values.push(row.checkpoints, row.checkpointsHeld, row.checkpointFloor);
  if (isOne) {
    const { at, body, checkpoint } = turns[0] as TurnRow;
    values.push(bitsOfId(turnId as string), body);
    if (isTimed) values.push(at, storedAt(at, now));
    if (isMarked) values.push(checkpoint ?? 0);
  } else {
    // Numbers as the server writes an array of them: the driver would look at each.
    values.push(`{${turns.map((turn) => bitsOfId(turn.turnId))}}`, seq - turns.length);
    values.push(turns.map((turn) => turn.turnId).join(separator));
    values.push(`{${turns.map((turn) => turn.tokens)}}`);
    values.push(`{${turns.map((turn) => turn.cost)}}`);
    values.push(`{${turns.map((turn) => turn.revision)}}`);
    values.push(turns.map(({ body }) => body).join(separator));
    if (isTimed) {
      values.push(`{${turns.map(({ at }) => at)}}`);
      values.push(turns.map(({ at }) => storedAt(at, now)));
    }
    if (isMarked) values.push(`{${turns.map(({ checkpoint }) => checkpoint ?? 0)}}`);
  }
  if (isNew && !isOne) values.push(unseen, unseen.map(bitsOfId));
  return values;
}

function isMarked(row: StoredSession, before: StoredSession): boolean {
  return (
    row.checkpoints !== before.checkpoints ||
    row.checkpointsHeld !== before.checkpointsHeld ||
    row.checkpointFloor !== before.checkpointFloor
  );
}
