import { DatabaseSync } from 'node:sqlite';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import type { ReportQuery } from '@lexigram/ai-session/store';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reportStatements } from '../src/sqlite/report.ts';
import { turnOf } from './kit/costed-turn.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';

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
});
