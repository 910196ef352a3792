import { createSessions, isSessionError, type SessionManager } from '@lexigram/ai-session';
import { type PostgresOptions, PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { faultsIn } from '../kit/database-faults.ts';
import { type TestSchema, temporarySchema } from '../kit/postgres-schema.ts';
import { type ProxyMode, TcpProxy } from '../kit/tcp-proxy.ts';

const callTimeoutMs = 1_500;
/** What the machine may take on top. */
const graceMs = 2_000;

interface Opened {
  readonly manager: SessionManager;
  readonly proxy: TcpProxy;
  readonly schema: TestSchema;
}

async function openThroughProxy(options: PostgresOptions = {}): Promise<Opened> {
  const schema = await temporarySchema();
  const url = new URL(schema.url);
  const proxy = await TcpProxy.start(Number(url.port || 5432));
  url.port = String(proxy.port);
  const store = await PostgresSessionStore.open(url.href, {
    schema: schema.schema,
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
  return { manager, proxy, schema };
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

it.each<ProxyMode>(['silent', 'cut'])(
  'calls end in their time while connections are %s, and the pool is soon well',
  async (mode) => {
    const { manager, proxy, schema } = await openThroughProxy();
    for (let i = 0; i < 10; i++) await manager.create({ userId: 'u', sessionId: `s${i}` });
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

    proxy.mode = 'pass';
    const start = performance.now();
    for (let n = 4; (await callAll(manager, n)).added < 10; n++);
    expect(performance.now() - start).toBeLessThan(10_000);
    const doubled = await schema.query(
      "SELECT 1 FROM {schema}.ai_turns GROUP BY session, body::json ->> 'content' HAVING count(*) > 1",
    );
    expect(doubled).toEqual([]);
    expect(await faultsIn(schema.place)).toEqual([]);
  },
);

it('a slow network only makes calls slow', async () => {
  const { manager, proxy } = await openThroughProxy({ callTimeoutMs: 10_000 });
  for (let i = 0; i < 10; i++) await manager.create({ userId: 'u', sessionId: `s${i}` });
  proxy.delayMs = 100;
  proxy.mode = 'slow';
  expect((await callAll(manager, 0)).added).toBe(10);
});

it('an answer that was cut off is looked for: the turn is there once, and its caller is told so', async () => {
  const { manager, proxy, schema } = await openThroughProxy({ callTimeoutMs: 10_000 });
  await manager.create({ userId: 'u', sessionId: 's' });
  await manager.addTurn('s', { role: 'user', content: 'first' });
  let pieces = 0;
  proxy.cutsAnswer = () => ++pieces % 3 === 0;
  const seqs: number[] = [];
  for (let n = 2; n <= 40; n++) {
    const { seq } = await manager.addTurn('s', { role: 'user', content: `${n}` });
    seqs.push(seq);
  }
  proxy.cutsAnswer = () => false;
  expect(seqs).toEqual(Array.from({ length: 39 }, (_, i) => i + 2));
  const rows = await schema.query('SELECT seq FROM {schema}.ai_turns ORDER BY seq');
  expect(rows).toHaveLength(40);
  expect(proxy.accepted).toBeGreaterThan(5);
  expect(await faultsIn(schema.place)).toEqual([]);
});
