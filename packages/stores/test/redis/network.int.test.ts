import { createSessions, isSessionError, type SessionManager } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { CacheSessionStore, type RedisOptions } from '../../src/redis/index.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { startServer, storeAt } from '../kit/redis-of-test.ts';
import { type ProxyMode, TcpProxy } from '../kit/tcp-proxy.ts';

const callTimeoutMs = 1_500;
/** What the machine may take on top. */
const graceMs = 2_000;

async function openThroughProxy(options: RedisOptions = {}) {
  const server = await startServer();
  const proxy = await TcpProxy.start(server.port);
  const store = await CacheSessionStore.open(`redis://127.0.0.1:${proxy.port}`, {
    callTimeoutMs,
    connectTimeoutMs: 1_000,
    ...options,
  });
  onTestFinished(async () => {
    proxy.mode = 'cut';
    await store.close();
    await proxy.stop();
  });
  const { manager } = await createSessions({}, { store });
  for (let i = 0; i < 10; i++) await manager.create({ userId: 'u', sessionId: `s${i}` });
  return { manager, proxy, direct: await storeAt(server.url) };
}

/** Ten callers at once, each to its own session; what became of them, and how long the longest took. */
async function callAll(manager: SessionManager, n: number) {
  const start = performance.now();
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      manager.addTurn(`s${i}`, { role: 'user', content: `${n} ${i}` }),
    ),
  );
  const ms = performance.now() - start;
  const reasons = results.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
  return { ms, added: results.length - reasons.length, reasons };
}

async function contentsOf(store: CacheSessionStore): Promise<readonly string[]> {
  const { manager } = await createSessions({}, { store });
  const found: string[] = [];
  for (let i = 0; i < 10; i++) {
    const { turns } = await manager.getState(`s${i}`, { turns: 'all' });
    found.push(...turns.map(({ content }) => String(content)));
  }
  return found;
}

it.each<ProxyMode>(['silent', 'cut'])(
  'calls end in their time while the connection is %s, and all is soon well',
  async (mode) => {
    const { direct, manager, proxy } = await openThroughProxy();
    let added = 0;
    for (let n = 0; n < 3; n++) added += (await callAll(manager, n)).added;
    expect(added).toBe(30);

    proxy.mode = mode;
    const during = await callAll(manager, 3);
    expect(during.added).toBe(0);
    expect(during.ms).toBeLessThan(callTimeoutMs + graceMs);
    for (const reason of during.reasons) {
      expect(isSessionError(reason) && reason.name).toBe('SessionStoreUnavailableError');
    }
    const reading = performance.now();
    await expect(manager.getState('s0')).rejects.toMatchObject({ reason: 'unreachable' });
    expect(performance.now() - reading).toBeLessThan(callTimeoutMs + graceMs);

    // What a silent machine swallowed never comes: its connection is broken in the end.
    proxy.mode = 'cut';
    proxy.mode = 'pass';
    for (let n = 4; (await callAll(manager, n)).added < 10; n++);
    const contents = await contentsOf(direct);
    expect(new Set(contents).size).toBe(contents.length);
    expect(contents.length).toBeGreaterThanOrEqual(40);
    expect(await faultsOf(direct)).toEqual([]);
  },
);

it('a connection that fell silent is made anew, though nobody broke it', async () => {
  const { direct, manager, proxy } = await openThroughProxy({ callTimeoutMs: 300 });
  const { accepted } = proxy;
  proxy.mode = 'silent';
  await expect.poll(() => proxy.accepted, { timeout: 10_000 }).toBeGreaterThan(accepted);
  proxy.mode = 'pass';
  for (let n = 0; (await callAll(manager, n)).added < 10; n++);
  const contents = await contentsOf(direct);
  expect(new Set(contents).size).toBe(contents.length);
  expect(await faultsOf(direct)).toEqual([]);
});

it('a slow network only makes calls slow', async () => {
  const { manager, proxy } = await openThroughProxy({ callTimeoutMs: 10_000 });
  proxy.delayMs = 100;
  proxy.mode = 'slow';
  expect((await callAll(manager, 0)).added).toBe(10);
});

it('an answer that was cut off is looked for: the turn is there once, and its caller is told so', async () => {
  const { direct, manager, proxy } = await openThroughProxy({ callTimeoutMs: 10_000 });
  await manager.addTurn('s0', { role: 'user', content: 'first' });
  let pieces = 0;
  // A new connection is greeted by two pieces: one in five leaves room for the call itself.
  proxy.cutsAnswer = () => ++pieces % 5 === 0;
  const seqs: number[] = [];
  for (let n = 2; n <= 40; n++) {
    const { seq } = await manager.addTurn('s0', { role: 'user', content: `${n}` });
    seqs.push(seq);
  }
  proxy.cutsAnswer = () => false;
  expect(seqs).toEqual(Array.from({ length: 39 }, (_, i) => i + 2));
  expect(await contentsOf(direct)).toHaveLength(40);
  expect(proxy.accepted).toBeGreaterThan(5);
  expect(await faultsOf(direct)).toEqual([]);
});
