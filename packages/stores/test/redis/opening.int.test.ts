import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createSessions } from '@lexigram/ai-session';
import { redisClusterUrls } from '@lexigram/ai-session-servers';
import { createClientPool, createCluster, createSentinel } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { clientOf, startServer, storeAt } from '../kit/redis-of-test.ts';

describe('opening', () => {
  it.each([
    'redis://127.0.0.1:1/db',
    'redis://127.0.0.1:1/?prefx=a:',
    'redis://127.0.0.1:1/?prefix={a}',
    'http://127.0.0.1',
    '',
  ])('refuses the URL %j', async (url) => {
    await expect(CacheSessionStore.open(url)).rejects.toMatchObject({ name: 'SessionInputError' });
  });

  it('refuses a pool and clients of sentinels, which take commands in another way', async () => {
    const sentinels = { name: 'a', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] };
    const clients = [createSentinel(sentinels), createClientPool()];
    const others: readonly unknown[] = [...clients, {}, null, 7];
    for (const other of others) {
      const opening = CacheSessionStore.open(other as never);
      await expect(opening).rejects.toMatchObject({ name: 'SessionInputError' });
    }
  });

  it.each([
    [[]],
    [['redis://127.0.0.1:1', 'http://127.0.0.1:2']],
    [['redis://127.0.0.1:1/3']],
    [['redis://127.0.0.1:1?prefix=a:', 'redis://127.0.0.1:2?prefix=b:']],
  ])('refuses the nodes %j', async (nodes) => {
    await expect(CacheSessionStore.open(nodes)).rejects.toMatchObject({
      name: 'SessionInputError',
    });
  });

  it('takes a cluster by one of its URLs, by addresses, and by a client of the caller', async () => {
    const urls = await redisClusterUrls();
    const prefix = `t${randomBytes(8).toString('hex')}:`;
    const [url = ''] = urls;
    const client = createCluster({ rootNodes: [{ url }] });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    const sources = [url, urls.map((one) => new URL(one).host), client];
    const sessionId = 'one';
    for (const [n, source] of sources.entries()) {
      const store = await storeAt(source as never, { prefix });
      expect(store.durability).toBe('everysec');
      const { manager } = await createSessions({}, { store });
      if (n === 0) await manager.create({ userId: 'u', sessionId });
      await manager.addTurn(sessionId, { role: 'user', content: `${n}` });
      expect((await manager.getState(sessionId)).turnCount).toBe(n + 1);
      expect((await manager.list({ userId: 'u' })).items).toHaveLength(1);
    }
    expect(client.isOpen).toBe(true);
  });

  it('tells no password where nobody answers', async () => {
    const url = 'redis://user:s3cr3t@127.0.0.1:1';
    const error = await CacheSessionStore.open(url, { connectTimeoutMs: 200 }).catch(
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ name: 'SessionStoreUnavailableError', reason: 'unreachable' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cr3t');
  });

  it.each([
    [{ appendonly: 'yes', appendfsync: 'always' }, 'always'],
    [{ appendonly: 'yes' }, 'everysec'],
    [{ save: '3600 1' }, 'snapshots'],
    [{}, 'none'],
  ])('reads what a server with %j keeps: %s', async (settings, durability) => {
    const server = await startServer(settings);
    expect((await storeAt(server.url)).durability).toBe(durability);
  });

  it('takes a server at its word that tells nothing', async () => {
    const server = await startServer();
    const client = await clientOf(server.url);
    await client.sendCommand(['ACL', 'SETUSER', 'default', '-config']);
    expect((await storeAt(server.url)).durability).toBe('unknown');
  });

  it('warns of a server that drops keys', async () => {
    const server = await startServer({ 'maxmemory-policy': 'allkeys-lru' });
    const warned = once(process, 'warning');
    const store = await storeAt(server.url);
    expect(await warned).toMatchObject([{ code: 'LEX_REDIS_EVICTION' }]);
    // And what it dropped holds up no sweep.
    const now = Date.now();
    const { manager } = await createSessions({ sessionTtl: 60 }, { store });
    const ids = Array.from({ length: 5 }, (_, i) => `s${i}`);
    for (const sessionId of ids) await manager.create({ userId: 'u', sessionId });
    const client = await clientOf(server.url);
    await client.del(ids.slice(1).map((id) => `lex:{${id}}:s`));
    const later = await storeAt(server.url, { clock: () => now + 3_600_000 });
    const due = { due: 'expiry', sessionId: 's0' };
    expect(await later.due({ limit: 2 })).toEqual([due]);
    expect(await later.due({ limit: 10 })).toEqual([due]);
    expect(await client.zRange('lex:{.}:due', 0, -1)).toEqual(['s0']);
  });
});
