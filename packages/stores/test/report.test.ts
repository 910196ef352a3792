import { DatabaseSync } from 'node:sqlite';
import { createSessions, type Sessions, type TurnInput } from '@lexigram/ai-session';
import type { ReportQuery } from '@lexigram/ai-session/store';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reportStatements } from '../src/sqlite/report.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { type Random, randomOf } from './kit/random.ts';
import { countOf } from './scale.ts';

const groupings = ['day', 'model', 'agent', 'user', 'tool'] as const;

async function openAt(path: string): Promise<Sessions> {
  const store = await SqliteSessionStore.open(path, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  const config = { maxTurnsPerSession: 100_000, maxSessionsPerUser: 10_000 };
  return createSessions({ ...config, maxBranchesPerSession: 1_000 }, { store });
}

/** What SQLite says that it reads for a report. */
function planOf(db: DatabaseSync, asked: ReportQuery): readonly string[] {
  const { groups, total } = reportStatements(asked);
  return [groups, total].flatMap(({ sql, values }) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values)
      .map((row) => String(row.detail))
      .filter((detail) => /^(SEARCH|SCAN)/.test(detail)),
  );
}

/** How many turns wait to be rolled up. */
function waiting(path: string): number {
  const sql = 'SELECT 1 FROM ai_turns WHERE id > (SELECT turn FROM ai_usage_until)';
  return query(path, sql).length;
}

function turnOf(n: number): TurnInput & { readonly cost: number } {
  const usage = { inputTokens: 3 * n, outputTokens: n };
  return { role: 'assistant', content: `turn ${n}`, model: `m${n % 3}`, usage, cost: n / 1e9 };
}

describe('a report', () => {
  it('reads rolled-up rows by their key, never a turn', async () => {
    const path = temporaryFile();
    await openAt(path);
    const db = new DatabaseSync(path);
    onTestFinished(() => db.close());
    for (const groupBy of groupings) {
      const after = { key: groupBy === 'day' ? '2026-03-01' : 'x', tenantId: null };
      for (const more of [{}, { after }, { unpriced: true }]) {
        const table = groupBy === 'tool' ? 'ai_tool_usage' : 'ai_usage';
        const span = { groupBy, from: 20_000, to: 20_031, limit: 100, ...more };
        expect(planOf(db, span)).toEqual([
          expect.stringMatching(`^SEARCH ${table} USING PRIMARY KEY \\(day>\\? AND day<\\?\\)$`),
          'SEARCH ai_usage USING PRIMARY KEY (day>? AND day<?)',
        ]);
        const owned = { ...span, userId: 'u', tenantId: 'acme' };
        expect(planOf(db, owned)).toEqual([
          `SEARCH ${table} USING INDEX ${table}_owner (user_id=? AND tenant_id=? AND day>? AND day<?)`,
          'SEARCH ai_usage USING INDEX ai_usage_owner (user_id=? AND tenant_id=? AND day>? AND day<?)',
        ]);
      }
    }
  });

  it('has turns rolled up behind their back: by the first who asks, or by the sweep', async () => {
    const path = temporaryFile();
    const { analytics, manager, store } = await openAt(path);
    const { sessionId } = await manager.create({ userId: 'u' });
    const add = async (from: number, count: number): Promise<void> => {
      const turns = Array.from({ length: count }, (_, i) => turnOf(from + i));
      for (let at = 0; at < count; at += 100) {
        await manager.addTurns(sessionId, turns.slice(at, at + 100));
      }
    };
    // More than are rolled up in one transaction.
    await add(1, 2_345);
    expect(waiting(path)).toBe(2_345);
    const { total } = await analytics.report({ groupBy: 'day' });
    expect([total.turns, total.cost]).toEqual([2_345, (2_345 * 2_346) / 2 / 1e9]);
    expect(waiting(path)).toBe(0);
    await add(2_346, 5);
    expect(waiting(path)).toBe(5);
    await store.collect({ before: 0, limit: 10 });
    expect(waiting(path)).toBe(0);
    // Few rows for many turns.
    expect(query(path, 'SELECT 1 FROM ai_usage')).toHaveLength(3);
    expect((await analytics.report({ groupBy: 'day' })).total.turns).toBe(2_350);
  });

  it('rolls large turns up in several transactions', async () => {
    const path = temporaryFile();
    const { analytics, manager } = await openAt(path);
    const { sessionId } = await manager.create({ userId: 'u' });
    const content = 'x'.repeat(900_000);
    for (let n = 1; n <= 9; n++) await manager.addTurn(sessionId, { ...turnOf(n), content });
    expect((await analytics.report({ groupBy: 'day' })).total.cost).toBe(45e-9);
    expect(waiting(path)).toBe(0);
  });

  it('agrees with a plain sum, whatever several processes write, move, fork, delete and report', async () => {
    for (let seed = 1; seed <= countOf('reportRuns'); seed++) await runAtRandom(seed);
  });
});

/** Several connections do things in turn and at once; a number is kept beside them. */
async function runAtRandom(seed: number): Promise<void> {
  const random = randomOf(seed);
  const path = temporaryFile();
  const opened = [await openAt(path), await openAt(path), await openAt(path)];
  const living: string[] = [];
  const spent = new Map<string, number>();
  let turns = 0;
  let n = 0;
  const note = (group: string, cost: number): void => {
    spent.set(group, (spent.get(group) ?? 0) + cost);
  };
  const add = async ({ manager }: Sessions, sessionId: string): Promise<void> => {
    n += 1;
    const own = n;
    const turn = turnOf(own);
    const { userId } = await manager.getState(sessionId);
    await manager.addTurn(sessionId, turn);
    turns += 1;
    note(`model ${turn.model}`, own);
    note(`user ${userId}`, own);
  };
  const steps: readonly ((sessions: Sessions) => Promise<void>)[] = [
    async ({ manager }) => {
      const { sessionId } = await manager.create({ userId: `u${random.between(1, 3)}` });
      living.push(sessionId);
    },
    async ({ branches }) => {
      const { sessionId } = await branches.fork(random.pick(living), 'b');
      living.push(sessionId);
    },
    async ({ manager }) => {
      await manager.rewind(random.pick(living), { toSeq: 0 });
    },
    async ({ manager }) => {
      if (living.length < 3) return;
      const [sessionId] = living.splice(random.between(0, living.length - 1), 1);
      await manager.delete(sessionId ?? '');
    },
    async ({ analytics }) => {
      await analytics.report({ groupBy: 'day' });
    },
    async ({ store }) => {
      await store.collect({ before: Date.now() + 1e6, limit: random.between(1, 20) });
    },
  ];
  await steps[0]?.(opened[0] as Sessions);
  for (let step = 1; step <= 60; step++) {
    const sessions = random.pick(opened);
    if (random.between(1, 100) <= 45) await add(sessions, random.pick(living));
    else if (random.between(1, 100) <= 25) {
      await Promise.all(opened.map((each) => add(each, random.pick(living))));
    } else await random.pick(steps)(sessions);
    if (step % 5 === 0) await expectSums(random, opened, spent, turns, `seed ${seed} step ${step}`);
  }
}

async function expectSums(
  random: Random,
  opened: readonly Sessions[],
  spent: ReadonlyMap<string, number>,
  turns: number,
  place: string,
): Promise<void> {
  const { analytics } = random.pick(opened);
  const found = new Map<string, number>();
  for (const groupBy of ['model', 'user'] as const) {
    const { items, total } = await analytics.report({ groupBy });
    expect(total.turns, place).toBe(turns);
    for (const { cost, key } of items) {
      found.set(`${groupBy} ${key}`, Math.round((cost ?? 0) * 1e9));
    }
  }
  expect(Object.fromEntries(found), place).toEqual(Object.fromEntries(spent));
}
