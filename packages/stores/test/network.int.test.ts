import {
  createSessions,
  isSessionError,
  type SessionManager,
  type SessionStore,
} from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { openBroken } from './broken/open-broken.ts';
import { faultsIn } from './kit/database-faults.ts';
import {
  type NetworkProxy,
  type NetworkStore,
  networkStores,
  throughProxy,
} from './kit/network-stores.ts';
import { type OpenUrlOptions, openUrl } from './kit/open-url.ts';
import { pause } from './kit/pause.ts';
import { contentsAt } from './kit/stored.ts';
import { describeEach, storesOfTwins } from './kit/stores-on-trial.ts';
import type { ProxyMode } from './kit/tcp-proxy.ts';
import { isFull } from './scale.ts';

const callTimeoutMs = 1_500;
/** What the machine may take on top. */
const graceMs = 2_000;

interface Bench {
  readonly kind: NetworkStore;
  /** The store's URL past the proxy. */
  readonly url: string;
  readonly proxy: NetworkProxy;
  readonly manager: SessionManager;
}

/** Ten sessions in a store that is reached through a proxy. */
async function openThroughProxy(
  kind: NetworkStore,
  options: OpenUrlOptions = {},
  open: (url: string, options: OpenUrlOptions) => Promise<SessionStore> = openUrl,
): Promise<Bench> {
  const url = await kind.url('');
  const { proxy, url: proxied } = await throughProxy(url);
  const store = await open(proxied, { callTimeoutMs, connectTimeoutMs: 1_000, ...options });
  onTestFinished(async () => {
    proxy.mode = 'cut';
    proxy.mode = 'pass';
    await store.close();
  });
  const { manager } = await createSessions({}, { store });
  for (let i = 0; i < 10; i++) await manager.create({ userId: 'u', sessionId: `s${i}` });
  return { kind, url, proxy, manager };
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

/** What is wrong with how calls end while the network does nothing good. */
async function callWhile(mode: ProxyMode, { manager, proxy }: Bench): Promise<readonly string[]> {
  proxy.mode = mode;
  const faults: string[] = [];
  const bounded = async (what: string, calls: Promise<readonly unknown[]>): Promise<void> => {
    const reasons = await Promise.race([calls, pause(callTimeoutMs + graceMs)]);
    if (reasons === undefined) faults.push(`${what} took too long`);
    for (const reason of reasons ?? []) {
      const isTold =
        isSessionError(reason) &&
        reason.name === 'SessionStoreUnavailableError' &&
        'reason' in reason &&
        reason.reason === 'unreachable';
      if (!isTold) faults.push(`${what} ended with ${reason}`);
    }
  };
  const adding = callAll(manager, 3);
  await bounded(
    'adding turns',
    adding.then(({ added, reasons }) => [...reasons, ...Array(added).fill('a turn')]),
  );
  const reading = manager.getState('s0').catch((error: unknown) => error);
  await bounded(
    'reading',
    reading.then((answer) => [answer]),
  );
  return faults;
}

/** Turns that the server holds more than once, and what else is wrong there. */
async function faultsAt({ url }: Bench): Promise<readonly string[]> {
  const contents = await contentsAt(url);
  const once = new Set(contents);
  const doubled = contents.length - once.size;
  return [...(doubled > 0 ? [`${doubled} turns are there twice`] : []), ...(await faultsIn(url))];
}

/** Forty turns while answers are cut off, one in some; what is wrong first with what their caller is told. */
async function loseAnswers({ kind, manager, proxy, url }: Bench): Promise<readonly string[]> {
  await manager.addTurn('s0', { role: 'user', content: '1' });
  let pieces = 0;
  proxy.cutsAnswer = () => ++pieces % kind.greeting === 0;
  const faults: string[] = [];
  for (let n = 2; n <= 40 && faults.length === 0; n++) {
    const content = `${n}`;
    const told = await manager.addTurn('s0', { role: 'user', content }).then(
      ({ seq }) => seq,
      (error: unknown) => error,
    );
    if (told !== n) faults.push(`turn ${n} is told to be ${told}`);
  }
  proxy.cutsAnswer = () => false;
  if (faults.length > 0) return faults;
  expect(proxy.accepted).toBeGreaterThan(5);
  const stored = (await contentsAt(url)).length;
  return stored === 40 ? [] : [`${stored} turns are there`];
}

describeEach(networkStores, 'a bad network', (kind) => {
  it.each<ProxyMode>(['silent', 'cut'])(
    'ends calls in their time while connections are %s, and all is soon well',
    async (mode) => {
      const bench = await openThroughProxy(kind);
      const { manager, proxy, url } = bench;
      let added = 0;
      for (let n = 0; n < 3; n++) added += (await callAll(manager, n)).added;
      expect(added).toBe(30);

      expect(await callWhile(mode, bench)).toEqual([]);

      proxy.mode = 'pass';
      const start = performance.now();
      for (let n = 4; (await callAll(manager, n)).added < 10; n++);
      expect(performance.now() - start).toBeLessThan(10_000);
      expect((await contentsAt(url)).length).toBeGreaterThanOrEqual(40);
      expect(await faultsAt(bench)).toEqual([]);
    },
  );

  it('only makes calls slow where it is slow', async () => {
    const { manager, proxy } = await openThroughProxy(kind, { callTimeoutMs: 10_000 });
    proxy.delayMs = 100;
    proxy.mode = 'slow';
    expect((await callAll(manager, 0)).added).toBe(10);
  });

  it('loses answers that are looked for: the turn is there once, and its caller is told so', async () => {
    const bench = await openThroughProxy(kind, { callTimeoutMs: 10_000 });
    expect(await loseAnswers(bench)).toEqual([]);
    expect(await faultsAt(bench)).toEqual([]);
  });
});

describeEach(storesOfTwins(networkStores), 'a bad network', (kind) => {
  it.each<ProxyMode>(isFull ? ['silent', 'cut'] : ['silent'])(
    'holds up a store without time-outs while connections are %s',
    async (mode) => {
      const bench = await openThroughProxy(kind, { callTimeoutMs: 30_000 });
      expect(await callWhile(mode, bench)).toEqual([
        'adding turns took too long',
        'reading took too long',
      ]);
    },
  );

  it('makes a connection that sends again what was not answered tell callers what is not so', async () => {
    const bench = await openThroughProxy(kind, { callTimeoutMs: 3_000 }, (url, options) =>
      openBroken(url, 'resends', options),
    );
    expect(await loseAnswers(bench)).not.toEqual([]);
  });
});
