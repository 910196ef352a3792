import { DatabaseSync } from 'node:sqlite';
import { createSessions, type SessionEvent, type SessionSubscription } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFile } from './kit/folder.ts';
import { beforeEachStatement } from './kit/statements.ts';

const say = (content: string) => ({ role: 'user' as const, content });
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function open(path: string) {
  const store = await SqliteSessionStore.open(path, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  const config = { maxTurnsPerSession: 100_000, autoCheckpointInterval: null };
  return createSessions(config, { store });
}

async function nextText(subscription: SessionSubscription): Promise<unknown> {
  const { value } = await subscription.next();
  return value?.type === 'turn' ? value.turn.content : value?.type;
}

describe('subscriptions to a file', () => {
  it('are woken by what another connection commits, and by their own', async () => {
    const path = temporaryFile();
    const [one, other] = [await open(path), await open(path)];
    const { sessionId } = await one.manager.create({ userId: 'u' });
    const session = one.events.subscribe({ sessionId });
    const all = one.events.subscribe();
    await Promise.all([session.start, all.start]);
    for (const { manager } of [other, one, other, other, one]) {
      const waiting = [nextText(session), nextText(all)];
      await manager.addTurn(sessionId, say('x'));
      expect(await Promise.all(waiting)).toEqual(['x', 'x']);
    }
    await other.manager.delete(sessionId);
    expect(await Promise.all([nextText(session), nextText(all)])).toEqual(['deleted', 'deleted']);
  });

  it('read on from where their own changes begin, not through what others wrote meanwhile', async () => {
    const path = temporaryFile();
    const sessions = await open(path);
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    const { sessionId: other } = await sessions.manager.create({ userId: 'bob' });
    const own = sessions.events.subscribe({ userId: 'ada' });
    await own.start;
    await sessions.manager.addTurn(sessionId, say('first'));
    expect(await nextText(own)).toBe('first');
    const waiting = own.next();
    for (let n = 0; n < 50; n++) {
      await sessions.manager.addTurns(
        other,
        Array.from({ length: 100 }, (_, i) => say(`${i}`)),
      );
      // The watch tells of them before the next ones come.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const end = (await sessions.store.changes({ after: null, limit: 1 })).next;
    await sessions.manager.addTurn(sessionId, say('second'));
    const { value } = await waiting;
    const [, before] = (value as SessionEvent).cursor.split('~');
    expect(Number(end) - Number(before)).toBeLessThan(500);
  });
});

/** The statements that a call of the store runs, and in what way each finds its rows. */
async function plansOf(
  path: string,
  call: () => Promise<unknown>,
): Promise<{ readonly statements: number; readonly plans: readonly string[] }> {
  const texts: string[] = [];
  const stop = beforeEachStatement((sql) => texts.push(sql));
  stops.push(stop);
  await call();
  stop();
  return { statements: texts.length, plans: explain(path, new Set(texts)) };
}

function explain(path: string, texts: Iterable<string>): readonly string[] {
  const db = new DatabaseSync(path);
  const plans = [...texts].flatMap((sql) => {
    const values = Array.from({ length: sql.split('?').length - 1 }, () => 1);
    return db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values)
      .map((row) => String(row.detail));
  });
  db.close();
  return plans;
}

/** Steps that read more than a page needs: whole tables, or all that is then put in order. */
function costly(plans: readonly string[]): readonly string[] {
  return plans.filter((plan) => /^SCAN (?:t|j|ai_turns|ai_journal)\b|TEMP B-TREE/.test(plan));
}

describe('a page of a feed or of the changes', () => {
  it('costs as much at the end of a long session as of a short one, and scans nothing', async () => {
    const path = temporaryFile();
    const { manager, store } = await open(path);
    const tail = async (turns: number) => {
      const { sessionId } = await manager.create({ userId: 'u' });
      for (let n = 0; n < turns; n += 100) {
        await manager.addTurns(
          sessionId,
          Array.from({ length: Math.min(100, turns - n) }, (_, i) => say(`${i}`)),
        );
      }
      const { revision } = await manager.addTurn(sessionId, say('last'));
      const { next } = await store.changes({ after: null, limit: 1 });
      await manager.addTurn(sessionId, say('new'));
      const feed = await plansOf(path, () =>
        store.feed(sessionId, { after: revision, limit: 100 }),
      );
      const changes = await plansOf(path, () => store.changes({ after: next, limit: 100 }));
      const ofUser = await plansOf(path, () =>
        store.changes({ userId: 'u', after: next, limit: 100 }),
      );
      const plans = [feed, changes, ofUser].flatMap((one) => one.plans);
      expect(costly(plans)).toEqual([]);
      return [feed, changes, ofUser].map(({ statements }) => statements);
    };
    expect(await tail(5_000)).toEqual(await tail(10));
  });

  it('and the same check finds a feed that puts a whole session in order', async () => {
    const path = temporaryFile();
    await open(path);
    const naive = `SELECT * FROM ai_turns t WHERE session = ? AND revision > ? ORDER BY revision LIMIT ?`;
    expect(costly(explain(path, [naive]))).not.toEqual([]);
  });
});
