import type { SessionStore } from '@lexigram/ai-session';
import type { SessionRow } from '@lexigram/ai-session/store';
import { readAll, type UntypedSessions } from './untyped.ts';

const kinds = ['metadata', 'checkpoint', 'move', 'redo', 'operation', 'branch', 'hold', 'lease'];

/**
 * All that can be seen of all sessions of a store, as text: states, histories, checkpoints, branches, records
 * and feeds. Equal before and after a call that was refused.
 */
export async function digestOf({ store, ...services }: UntypedSessions): Promise<string> {
  const rows = await allRows(store);
  const parts = await Promise.all(
    rows.map(async (row) => [row, ...(await contentsOf({ store, ...services }, row.sessionId))]),
  );
  return JSON.stringify(parts, null, 1);
}

async function allRows(store: SessionStore): Promise<readonly SessionRow[]> {
  const rows: SessionRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const after = last && { createdAt: last.createdAt, sessionId: last.sessionId };
    const page = await store.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    rows.push(...page);
    if (page.length < 1_000) return rows;
  }
}

function contentsOf(sessions: UntypedSessions, sessionId: string): Promise<readonly unknown[]> {
  const { branches, checkpoints, manager, store } = sessions;
  return Promise.all([
    manager.getState(sessionId),
    readAll(manager.turns(sessionId)),
    checkpoints.list(sessionId),
    branches.list(sessionId),
    store.feed(sessionId, { after: 0, limit: 1_000 }),
    ...kinds.map((kind) => store.records(sessionId, kind, { limit: 1_000 })),
  ]);
}

/** The first lines in which two digests differ. */
export function changeOf(before: string, after: string): string {
  const [was, is] = [before.split('\n'), after.split('\n')];
  const first = is.findIndex((line, i) => line !== was[i]);
  const [from, to] = [Math.max(0, first - 3), first + 3];
  return `${is.slice(from, to).join('\n')}\ninstead of\n${was.slice(from, to).join('\n')}`;
}
