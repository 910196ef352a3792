import { type Owner, UsageLedger, type UsageSums, usageSums } from '@lexigram/ai-session/store';
import type { RunSql, SqlRow } from './client.ts';

/** How many turns one transaction rolls up at most, unless one commit wrote more. */
const batchTurns = 1_000;

/** Where a sum stops, so that it stays an integer of 64 bits whatever is added. */
const most = '4000000000000000000';

/** The column of each sum. */
export const sumColumns: Readonly<Record<keyof UsageSums, string>> = {
  turns: 'turns',
  calls: 'calls',
  unpriced: 'unpriced',
  tokens: 'tokens',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cacheReadTokens: 'cache_read_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  reasoningTokens: 'reasoning_tokens',
  cost: 'cost',
};

/**
 * The rolled-up rows that reports read. A turn is rolled up behind its back: by the next report or sweep, or by the
 * erase that is about to delete it. So an append writes nothing for it. `ai_usage_until` has the position up to
 * which that was done; who rolls up holds its row, and each function here runs inside a transaction.
 */
export class Usage {
  readonly #schema: string;

  constructor(schema: string) {
    this.#schema = schema;
  }

  /**
   * Rolls up some of the turns that are not yet; whether none is left but those that may have others before them.
   * Without waiting it leaves the work to whoever is at it.
   */
  async settle(run: RunSql, waits: boolean): Promise<boolean> {
    const until = waits ? await this.lock(run) : await this.#tryLock(run);
    if (until === null) return true;
    const rows = await run(
      `SELECT t.position, ${columns} FROM "${this.#schema}".ai_turns t
       JOIN "${this.#schema}".ai_sessions s ON s.key = t.session
       WHERE t.position > $1::bigint AND t.position <= least(
         (SELECT base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 FROM "${this.#schema}".ai_positions),
         (SELECT position FROM "${this.#schema}".ai_turns WHERE position > $1::bigint
          ORDER BY position OFFSET ${batchTurns} - 1 LIMIT 1))
       ORDER BY t.position`,
      until,
    );
    const last = rows.at(-1)?.position as number | undefined;
    if (last === undefined) return true;
    await this.add(run, rows);
    await run(`UPDATE "${this.#schema}".ai_usage_until SET position = $1::bigint`, last);
    return rows.length < batchTurns;
  }

  /** Adds what is not rolled up yet, for a report whose transaction is then undone. */
  async addRest(run: RunSql): Promise<void> {
    const until = await this.lock(run);
    const rows = await run(
      `SELECT ${columns} FROM "${this.#schema}".ai_turns t
       JOIN "${this.#schema}".ai_sessions s ON s.key = t.session
       WHERE t.position > $1::bigint
         AND t.position <= (SELECT max(position) FROM "${this.#schema}".ai_turns)`,
      until,
    );
    await this.add(run, rows);
  }

  /** Holds back others who roll up, until the transaction ends; answers up to which position that was done. */
  async lock(run: RunSql): Promise<number> {
    const [row] = await run(`SELECT position FROM "${this.#schema}".ai_usage_until FOR UPDATE`);
    return row?.position as number;
  }

  async #tryLock(run: RunSql): Promise<number | null> {
    const [row] = await run(
      `SELECT position FROM "${this.#schema}".ai_usage_until FOR UPDATE SKIP LOCKED`,
    );
    return row === undefined ? null : (row.position as number);
  }

  /** Adds turns to the rolled-up rows. Copies that a merge brought count where they were first written. */
  async add(run: RunSql, rows: readonly SqlRow[]): Promise<void> {
    const ledger = new UsageLedger();
    for (const { at, body, origin, tenantId, userId } of rows) {
      if (origin !== '') continue;
      const owner = { tenantId: tenantId as string | null, userId: userId as string };
      ledger.add(owner, { at: at as number, body: body as string });
    }
    const models = [...ledger.rows('model')];
    if (models.length > 0) {
      await run(
        addTo(`"${this.#schema}".ai_usage`, ['model', 'agent']),
        ...owners(models),
        models.map((it) => it.model ?? ''),
        models.map((it) => it.agent ?? ''),
        ...sumsOf(models),
      );
    }
    const tools = [...ledger.rows('tool')];
    if (tools.length > 0) {
      await run(
        addTo(`"${this.#schema}".ai_tool_usage`, ['tool']),
        ...owners(tools),
        tools.map((it) => it.tool ?? ''),
        ...sumsOf(tools),
      );
    }
  }
}

const columns = 't.at, t.body, t.origin, s.user_id AS "userId", s.tenant_id AS "tenantId"';

interface Sums {
  readonly day: number;
  readonly owner: Owner;
  readonly sums: UsageSums;
}

function owners(rows: readonly Sums[]): unknown[] {
  return [
    rows.map((it) => it.day),
    rows.map((it) => it.owner.userId),
    rows.map((it) => it.owner.tenantId ?? ''),
  ];
}

/** Integers as text: past 2^53 a number would be written with an exponent. */
function sumsOf(rows: readonly Sums[]): unknown[] {
  return usageSums.map((name) => rows.map((it) => BigInt(it.sums[name]).toString()));
}

/** Adds rows given as one array for each column. Sorted, so that two who add do not wait for each other in a circle. */
function addTo(table: string, names: readonly string[]): string {
  const sums = usageSums.map((name) => sumColumns[name]);
  const keys = ['day', 'user_id', 'tenant_id', ...names];
  const all = [...keys, ...sums];
  const type = (column: string): string =>
    column === 'day' ? 'integer' : keys.includes(column) ? 'text' : 'bigint';
  const arrays = all.map((column, i) => `$${i + 1}::${type(column)}[]`);
  return `INSERT INTO ${table} AS u (${all.join(', ')})
    SELECT * FROM unnest(${arrays.join(', ')}) AS k (${all.join(', ')}) ORDER BY ${keys.join(', ')}
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET
      ${sums.map((column) => `${column} = least(u.${column}::numeric + excluded.${column}, ${most})::bigint`).join(', ')}`;
}
