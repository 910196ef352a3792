import { createSessions } from '@lexigram/ai-session';
import { createClient } from 'redis';
import { expect, it, onTestFinished } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { appending, newSession } from '../kit/commits.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { ownClusterUrls, ownRedisUrl } from '../kit/open-redis.ts';
import { clientOf, keysUnder, startServer, storeAt } from '../kit/redis-of-test.ts';
import { useAll } from '../kit/use-all.ts';
import { countOf } from '../scale.ts';

/** A word that no key and no program has of its own. */
const canary = 'zqc4n4ry';

const hostileIds = [
  '*',
  's*',
  '[s]',
  '?',
  's?',
  '{s0}',
  '}',
  '{',
  's0}:s',
  's0\n',
  's0:t',
  '',
  '\\*',
];

it('an id that is a pattern, a tag or half of a key touches no other session', async () => {
  const url = await ownRedisUrl();
  const store = await storeAt(url);
  const ids = Array.from({ length: countOf('bystanders') }, (_, i) => `s${i}`);
  for (const id of ids) {
    await store.create(newSession(id));
    await store.commit(id, appending('t1', 't2'));
  }
  const client = await clientOf(url);
  const keys = (await keysUnder(url, '*')).toSorted();
  const states = await client.mGet(
    ids.map((id) => keys.find((key) => key.includes(`{${id}}:s`)) ?? ''),
  );
  for (const id of hostileIds) {
    expect(await store.session(id), id).toBeNull();
    expect(await store.timelines([`${id}.1`]), id).toEqual([null]);
    expect(
      await store.turns([{ timelineId: `${id}.1`, from: 1, to: 9 }], { limit: 9, order: 'asc' }),
    ).toEqual([]);
    expect(await store.findTurns('t1', [id]), id).toEqual([]);
    expect(await store.records(id, 'metadata', { limit: 9 }), id).toEqual([]);
    expect(await store.feed(id, { after: 0, limit: 9 }), id).toEqual([]);
    expect(await store.list({ userId: id, limit: 9 }), id).toEqual([]);
    expect(await store.erase(id, { limit: 100 }), id).toMatchObject({ found: false });
    expect(await store.erase(id, { limit: 100, keep: [] }), id).toMatchObject({ found: false });
    expect(await store.commit(id, appending('t3')), id).toEqual({ refused: 'unknown' });
  }
  expect((await keysUnder(url, '*')).toSorted()).toEqual(keys);
  expect(
    await client.mGet(ids.map((id) => keys.find((key) => key.includes(`{${id}}:s`)) ?? '')),
  ).toEqual(states);
  expect(states.includes(null)).toBe(false);
  expect(await faultsOf(store)).toEqual([]);
});

it('all keys of a session lie in one slot, those of others wherever they fall', async () => {
  const server = await startServer();
  const store = await storeAt(server.url);
  const sessions = await createSessions({ autoCheckpointInterval: 2 }, { store });
  const made: string[] = [];
  for (let n = 0; n < 20; n++) {
    const { sessionId } = await sessions.manager.create({ userId: `u${n}`, variables: { n } });
    made.push(sessionId);
    for (const turnId of ['a', 'b', 'c']) {
      await sessions.manager.addTurn(sessionId, { turnId, role: 'user', content: turnId });
    }
    await sessions.checkpoints.create(sessionId, { label: 'here' });
    made.push((await sessions.branches.fork(sessionId, 'b')).sessionId);
    await sessions.manager.rewind(sessionId, { toSeq: 1 });
  }
  // A server of a cluster tells slots, also if it serves none of them.
  const cluster = await startServer({ 'cluster-enabled': 'yes' });
  const client = await clientOf(cluster.url);
  const slots = new Set<unknown>();
  for (const id of made) {
    const keys = await keysUnder(server.url, `*${id}*`);
    expect(keys.length).toBeGreaterThan(5);
    const own = new Set<unknown>();
    for (const key of keys) own.add(await client.sendCommand(['CLUSTER', 'KEYSLOT', key]));
    expect(own.size, id).toBe(1);
    for (const slot of own) slots.add(slot);
  }
  expect(slots.size).toBeGreaterThan(20);
});

it('no text of a caller becomes a key, a command or a program', async () => {
  const url = await ownRedisUrl();
  const client = createClient({ url: new URL('/', url).href });
  onTestFinished(() => client.destroy());
  await client.connect();
  const commands = new Set<string>();
  const programs = new Set<string>();
  const { sendCommand } = client;
  const watched = Object.assign(Object.create(client) as typeof client, {
    sendCommand: (words: string[]) => {
      commands.add(words[0] ?? '');
      if (words[0]?.startsWith('EVAL') === true) programs.add(words[1] ?? '');
      return sendCommand.call(client, words);
    },
  });
  const prefix = new URL(url).searchParams.get('prefix') ?? '';
  const store = await CacheSessionStore.open(watched as never, { prefix });
  await useAll(await createSessions({ autoCheckpointInterval: 2 }, { store }), canary);
  expect([...programs].filter((it) => it.includes(canary))).toEqual([]);
  // Three programs, by their digests and as they are.
  expect(programs.size).toBeLessThanOrEqual(8);
  expect([...commands].filter((it) => !/^[A-Z]+$/.test(it))).toEqual([]);
  expect(commands.has('KEYS') || commands.has('SCAN')).toBe(false);
  // Ids of sessions are keys; they are checked. Nothing else is.
  const keys = await keysUnder(url, '*');
  const named = keys.filter((key) => key.replaceAll(`{${canary}-session}`, '').includes(canary));
  expect(named).toEqual([]);
  await store.close();
});

it.each([
  ['Redis', ownRedisUrl],
  ['a Redis Cluster', ownClusterUrls],
] as const)(
  'in %s a session that is deleted leaves no key behind once its tombstone is gone',
  async (_, own) => {
    const url = await own();
    let now = Date.now();
    const store = await storeAt(url, { clock: () => now });
    const sessions = await createSessions({ autoCheckpointInterval: 2, sessionTtl: 0 }, { store });
    for (let n = 0; n < 5; n++) {
      const { sessionId } = await sessions.manager.create({ userId: 'u', variables: { n } });
      for (const turnId of ['a', 'b', 'c']) {
        await sessions.manager.addTurn(sessionId, { turnId, role: 'user', content: turnId });
      }
      const made = await sessions.checkpoints.create(sessionId, {
        label: 'here',
        operationId: 'o',
      });
      await sessions.manager.rewind(sessionId, { toSeq: 1 });
      await sessions.manager.restore(made.checkpointId);
      await sessions.branches.fork(sessionId, 'b');
      expect((await keysUnder(url, `{${sessionId}}*`)).length).toBeGreaterThan(10);
      await sessions.manager.delete(sessionId, { withBranches: true });
    }
    for (let round = 0; round < 10; round++) {
      now += 40 * 86_400_000;
      await sessions.cleanup.sweep();
      await store.collect({ before: now, limit: 1_000 });
    }
    const left = await keysUnder(url, '*');
    const allowed = /^t[0-9a-f]+:\{\.[^}]*\}:(log|dropped|usage:.*|(version|spent)(=.*)?|due:)$/;
    expect(left.filter((key) => !allowed.test(key))).toEqual([]);
  },
);
