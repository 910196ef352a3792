import {
  type Owner,
  type StoredSession,
  UsageLedger,
  type UsageSums,
  usageSums,
} from '@lexigram/ai-session/store';
import type { Statements } from './statements.ts';

/** How many turns one transaction rolls up at most, and about how many characters of them it reads. */
const batchTurns = 1_000;
const batchChars = 4_000_000;

/** Where a sum stops, so that it stays an integer of SQLite whatever is added. */
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

const newer = `SELECT t.id, t.copy, t.at, t.body, s.user_id AS userId, s.tenant_id AS tenantId
  FROM ai_turns t JOIN ai_sessions s ON s.key = t.session WHERE t.id > ? ORDER BY t.id LIMIT ?`;
const unsettled = `SELECT at, body FROM ai_turns WHERE copy = 0 AND id > ? AND id IN
  (SELECT id FROM ai_turns WHERE session = ? AND timeline = ? AND seq > ? ORDER BY seq DESC LIMIT ?)`;
const addByModel = addTo('ai_usage', ['model', 'agent']);
const addByTool = addTo('ai_tool_usage', ['tool']);
const addSpent = `INSERT INTO ai_spent (user_id, tenant_id, cost) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET cost = min(cost + excluded.cost, ${most})`;
const spentBy = 'SELECT total(cost) AS cost FROM ai_spent WHERE user_id = ? AND tenant_id = ?';

/** Thrown inside a transaction that would have to roll up more turns than a transaction should. */
export class UsageBehind extends Error {}

/**
 * The rolled-up rows that reports read. A turn is rolled up behind its back, in order of arrival: by the next
 * report, sweep, or question for what an owner has spent, or by the erase that is about to delete it. So an append
 * writes nothing for it. `ai_usage_until` has the last id that was: ids only rise, in the order of the commits, and
 * none is given again. All of it runs inside write transactions.
 */
export class Usage {
  readonly #sql: Statements['sql'];

  constructor({ sql }: Statements) {
    this.#sql = sql;
  }

  /** Rolls up some of the turns that are not yet; whether none is left. */
  settle(): boolean {
    const ledger = new UsageLedger();
    let last: number | null = null;
    let turns = 0;
    let chars = 0;
    for (const row of this.#sql(newer).iterate(this.#untilNow(), batchTurns)) {
      const { at, body, copy, id, tenantId, userId } = row as unknown as NewerTurn;
      if (copy === 0) ledger.add({ tenantId, userId }, { at, body });
      last = id;
      turns += 1;
      chars += body.length;
      if (chars >= batchChars) break;
    }
    if (last === null) return true;
    this.#add(ledger);
    this.#sql('UPDATE ai_usage_until SET turn = ?').run(last);
    return turns < batchTurns && chars < batchChars;
  }

  /** Rolls up what of these turns is not yet: the last `limit` after `seq` on a timeline, about to be deleted. */
  settleErased(
    session: StoredSession,
    turns: { readonly timeline: number; readonly seq: number; readonly limit: number },
  ): void {
    const ledger = new UsageLedger();
    const { limit, seq, timeline } = turns;
    const rows = this.#sql(unsettled).iterate(this.#untilNow(), session.key, timeline, seq, limit);
    const { tenantId, userId } = session;
    for (const row of rows) ledger.add({ tenantId, userId }, row as unknown as StoredBody);
    this.#add(ledger);
  }

  /** Nano-dollars that an owner has spent, as far as turns are rolled up. */
  spent(owner: Owner): number {
    return Number(this.#sql(spentBy).get(owner.userId, owner.tenantId ?? '')?.cost ?? 0);
  }

  #untilNow(): number {
    return Number(this.#sql('SELECT turn FROM ai_usage_until').get()?.turn ?? 0);
  }

  #add(ledger: UsageLedger): void {
    for (const { agent, day, model, owner, sums } of ledger.rows('model')) {
      const { tenantId, userId } = owner;
      const key = [day, userId, tenantId ?? '', model ?? '', agent ?? ''];
      this.#sql(addByModel).run(...key, ...valuesOf(sums));
      if (sums.cost > 0) this.#sql(addSpent).run(userId, tenantId ?? '', wide(sums.cost));
    }
    for (const { day, owner, sums, tool } of ledger.rows('tool')) {
      const key = [day, owner.userId, owner.tenantId ?? '', tool ?? ''];
      this.#sql(addByTool).run(...key, ...valuesOf(sums));
    }
  }
}

interface StoredBody {
  readonly at: number;
  readonly body: string;
}

interface NewerTurn extends Owner, StoredBody {
  readonly id: number;
  readonly copy: number;
}

function valuesOf(sums: UsageSums): (number | bigint)[] {
  return usageSums.map((name) => wide(sums[name]));
}

/** An integer for SQLite. A batch has 1,000 turns, and a number of a turn counts as 1e15 at most: well inside 64 bits. */
function wide(sum: number): number | bigint {
  return Number.isSafeInteger(sum) ? sum : BigInt(sum);
}

function addTo(table: string, names: readonly string[]): string {
  const columns = usageSums.map((name) => sumColumns[name]);
  const all = ['day', 'user_id', 'tenant_id', ...names, ...columns];
  return `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})
    ON CONFLICT DO UPDATE SET
      ${columns.map((column) => `${column} = min(${column} + excluded.${column}, ${most})`).join(', ')}`;
}
