import { DatabaseSync } from 'node:sqlite';
import type { ReportQuery } from '@lexigram/ai-session/store';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reportStatements } from '../src/sqlite/report.ts';
import { temporaryFile } from './kit/folder.ts';

const groupings = ['day', 'model', 'agent', 'user', 'tool'] as const;

async function openAt(path: string): Promise<SqliteSessionStore> {
  const store = await SqliteSessionStore.open(path, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  return store;
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
});
