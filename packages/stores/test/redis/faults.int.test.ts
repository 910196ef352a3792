import { createSessions } from '@lexigram/ai-session';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { appending, newSession } from '../kit/commits.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { throughProxy } from '../kit/network-stores.ts';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { clientOf, keysUnder, startServer, storeAt } from '../kit/redis-of-test.ts';
import { useAll } from '../kit/use-all.ts';

const config = { sessionTtl: 0, maxSessionsPerUser: 10_000 } as const;

describe('a commit is whole', () => {
  it('where a sum is past what the server holds', async () => {
    const url = await ownRedisUrl();
    const store = await storeAt(url);
    const { analytics, manager } = await createSessions(config, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    const turn = { role: 'assistant', content: 'x', model: 'm', cost: 0.5 } as const;
    await manager.addTurn(sessionId, turn);
    expect((await analytics.report({ groupBy: 'model' })).total.turns).toBe(1);
    const client = await clientOf(url);
    const [spent = ''] = await keysUnder(url, '*}:spent');
    const [used = ''] = await keysUnder(url, '*usage:[0-9]*');
    await client.set(spent, '9223372036854775807');
    for (const field of await client.hKeys(used))
      await client.hSet(used, field, '9223372036854775807');
    await manager.addTurn(sessionId, turn);
    expect((await manager.getState(sessionId)).turnCount).toBe(2);
    expect(await faultsOf(store)).toEqual([]);
    expect((await analytics.report({ groupBy: 'model' })).total.turns).toBeGreaterThan(1e18);
    const capped = await createSessions({ ...config, maxCostPerUser: 100 }, { store });
    await expect(capped.manager.addTurn(sessionId, turn)).rejects.toMatchObject({
      limit: 'maxCostPerUser',
    });
  });

  it('where it is larger than what a script can hand on at once', async () => {
    const store = await storeAt(await ownRedisUrl());
    await store.create(newSession('s'));
    const ids = Array.from({ length: 9_001 }, (_, i) => `t${i}`);
    expect(await store.commit('s', appending(...ids))).toMatchObject({
      session: { head: { seq: 9_001 } },
    });
    expect(await faultsOf(store)).toEqual([]);
    const feed = await store.feed('s', { after: 0, limit: 1_000_000 });
    expect(feed.filter(({ type }) => type === 'turn')).toHaveLength(9_001);
  });

  it('or not there at all, where memory runs out; reads and deletes go on, and make room', async () => {
    const server = await startServer({ maxmemory: '6mb' });
    const store = await storeAt(server.url);
    const sessions = await createSessions(config, { store });
    const { manager } = sessions;
    const ids: string[] = [];
    const acknowledged = new Map<string, number>();
    const fill = async (): Promise<unknown> => {
      for (;;) {
        const { sessionId } = await manager.create({ userId: 'u', variables: { a: 1 } });
        ids.push(sessionId);
        for (let n = 1; n <= 20; n++) {
          const content = 'x'.repeat(n * 500);
          await manager.addTurn(sessionId, { role: 'user', content }, { variables: { n } });
          acknowledged.set(sessionId, n);
        }
      }
    };
    const refused = { name: 'SessionStoreUnavailableError', reason: 'full' };
    await expect(fill()).rejects.toMatchObject(refused);
    expect(await faultsOf(store)).toEqual([]);
    for (const [id, n] of acknowledged) expect((await manager.getState(id)).turnCount).toBe(n);
    await expect(fill()).rejects.toMatchObject(refused);
    expect(acknowledged.size).toBeGreaterThan(5);
    for (const id of ids.slice(0, 5)) await manager.delete(id);
    await manager.addTurn(ids.at(5) as string, { role: 'user', content: 'there is room again' });
    expect(await faultsOf(store)).toEqual([]);
  });
});

describe('connections', () => {
  it('that are broken again and again fail no call, and no turn is there twice', async () => {
    const { url } = await startServer();
    const store = await storeAt(url, { callTimeoutMs: 30_000 });
    const { manager } = await createSessions(config, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    const killer = await clientOf(url);
    let over = false;
    let kills = 0;
    const killing = (async () => {
      while (!over) {
        const killed = await killer.sendCommand([
          'CLIENT',
          'KILL',
          'TYPE',
          'normal',
          'SKIPME',
          'yes',
        ]);
        kills += Number(killed);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    for (let n = 1; n <= 20 || kills <= 10; n++) {
      expect((await manager.addTurn(sessionId, { role: 'user', content: `${n}` })).seq).toBe(n);
      expect((await manager.getState(sessionId)).turnCount).toBe(n);
    }
    over = true;
    await killing;
    expect(await faultsOf(store)).toEqual([]);
  });

  it('that fell silent are made anew, though nobody calls', async () => {
    const { proxy, url } = await throughProxy(await ownRedisUrl());
    const store = await storeAt(url, { callTimeoutMs: 300 });
    await store.create(newSession('s'));
    const { accepted } = proxy;
    proxy.mode = 'silent';
    await expect.poll(() => proxy.accepted, { timeout: 10_000 }).toBeGreaterThan(accepted);
    proxy.mode = 'pass';
    await expect.poll(() => store.session('s').catch(() => null)).not.toBeNull();
    await store.commit('s', appending('t'));
    expect(await faultsOf(store)).toEqual([]);
  });

  it('of one’s own serve in both versions of the protocol, and stay open', async () => {
    const url = await ownRedisUrl();
    const prefix = new URL(url).searchParams.get('prefix') ?? '';
    for (const RESP of [2, 3] as const) {
      const client = createClient({ url: new URL('/', url).href, RESP });
      onTestFinished(() => client.destroy());
      await expect(CacheSessionStore.open(client as never, { prefix })).rejects.toMatchObject({
        name: 'SessionStoreUnavailableError',
      });
      await client.connect();
      const store = await CacheSessionStore.open(client as never, { prefix: `${prefix}${RESP}:` });
      expect(store.durability).toBe('everysec');
      await useAll(await createSessions({ autoCheckpointInterval: 2 }, { store }), `resp${RESP}`);
      expect(await store.list({ limit: 10 })).toHaveLength(1);
      await store.close();
      expect(await client.ping()).toBe('PONG');
    }
  });

  it('to a server that does not answer do not hold up the end', async () => {
    const server = await startServer();
    const store = await CacheSessionStore.open(server.url, { callTimeoutMs: 300 });
    await store.create(newSession('s'));
    process.kill(server.pid, 'SIGSTOP');
    try {
      const reading = store.session('s');
      await expect(reading).rejects.toMatchObject({ reason: 'unreachable' });
      const adding = store.commit('s', appending('t'));
      await expect(adding).rejects.toMatchObject({ reason: 'unreachable' });
      const start = performance.now();
      await store.close();
      expect(performance.now() - start).toBeLessThan(5_000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  });
});
