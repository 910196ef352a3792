import { createSessions, type Page, type SessionState } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { newSession } from './kit/commits.ts';
import { faultsOf } from './kit/database-faults.ts';
import { temporaryFile } from './kit/folder.ts';
import { countOf } from './scale.ts';

async function open() {
  const store = await SqliteSessionStore.open(temporaryFile());
  onTestFinished(() => store.close());
  return createSessions({}, { store });
}

/** Texts that mean something to SQL, JSON paths, LIKE and GLOB. */
const hostile = [
  '%',
  '_',
  '\\',
  "'",
  '"',
  '*',
  '?',
  '{}',
  '[]',
  '[a-z]',
  '$',
  '$.a',
  'a.b',
  'a"b',
  "' OR 1=1 --",
  "'); DROP TABLE ai_sessions; --",
  'x%',
  '%x',
  '_x',
  'x_',
  'X',
  'x',
  ' x',
  '0',
  '1',
  'null',
  'true',
  '-1',
  'toString',
  '\u0130',
  'i\u0307',
  'é',
  'e\u0301',
  '😀',
] as const;

it('a filter of metadata matches this key with this value and nothing else', async () => {
  const { manager } = await open();
  const made = new Map<string, string>();
  for (const key of hostile) {
    for (const value of hostile.slice(0, 8)) {
      const { sessionId } = await manager.create({
        userId: `u${made.size % 20}`,
        metadata: { [key]: value, other: key },
      });
      made.set(JSON.stringify([key, value]), sessionId);
    }
  }
  for (const key of hostile) {
    for (const value of hostile) {
      const { items } = await manager.list({ metadata: { [key]: value } });
      const expected = made.get(JSON.stringify([key, value]));
      expect(items.map((it) => it.sessionId)).toEqual(expected === undefined ? [] : [expected]);
    }
  }
});

it('a number, a flag and null match themselves and not their texts', async () => {
  const { manager } = await open();
  const values = [0, 1, -1, 1.5, 1e21, true, false, null, '0', '1', 'true', 'null', ''] as const;
  for (const [i, value] of values.entries()) {
    await manager.create({ userId: `u${i}`, metadata: { value } });
  }
  await manager.create({ userId: 'u', metadata: { value: [1], nested: { value: 1 } } });
  for (const [i, value] of values.entries()) {
    const { items } = await manager.list({ metadata: { value } });
    expect(
      items.map((it) => it.userId),
      String(value),
    ).toEqual([`u${i}`]);
  }
});

it('no tenant sees another whose name looks like its own', async () => {
  const sessions = await open();
  const tenants = ['acme', 'acme-corp', 'acme%', 'acm_', 'ACME', '%', '', null];
  const users = ['u', 'u%', '_', 'U'];
  const named = tenants.filter((tenant) => tenant !== '');
  for (const tenantId of named) {
    for (const userId of users) {
      await sessions.manager.create({
        tenantId,
        userId,
        metadata: { of: `${tenantId} ${userId}` },
      });
    }
  }
  const owners = ({ items }: Page<SessionState>) =>
    items.map((it) => [it.tenantId, it.userId]).toSorted();
  for (const tenantId of named) {
    for (const userId of users) {
      const own = [[tenantId, userId]];
      const scoped = sessions.as({ tenantId, userId });
      expect(owners(await scoped.manager.list())).toEqual(own);
      expect(owners(await sessions.manager.list({ tenantId, userId } as never))).toEqual(own);
      for (const other of named) {
        const metadata = { of: `${other} ${userId}` };
        const found = owners(await scoped.manager.list({ metadata }));
        expect(found).toEqual(other === tenantId ? own : []);
      }
    }
  }
});

it('erasing a name with a meaning for patterns touches nobody', async () => {
  const { manager, store } = await open();
  const count = countOf('bystanders');
  const names = Array.from({ length: count }, (_, i) => `${'abc'[i % 3]}${i}`);
  await Promise.all(names.map((sessionId) => store.create(newSession(sessionId))));
  await manager.addTurn('a0', { role: 'user', content: 'hello' });
  for (const pattern of [
    '*',
    'a*',
    '[a]',
    '[a-z]*',
    '?',
    '??',
    '%',
    'a%',
    '_',
    '',
    "a0' OR '1",
    'A0',
  ]) {
    expect(await store.erase(pattern, { limit: 10_000 })).toEqual({
      found: false,
      done: true,
      parent: null,
      buried: null,
    });
    expect(await store.erase(pattern, { limit: 10_000, keep: [] })).toMatchObject({ found: false });
  }
  expect(await store.list({ limit: count + 1 })).toHaveLength(count);
  expect((await manager.getState('a0')).turnCount).toBe(1);
  expect(await faultsOf(store)).toEqual([]);
});
