import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { startChild } from './kit/children.ts';
import { faultsOf } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { describeEach, storesOfTwins, storesOnTrial } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

const script = new URL('./children/sweep.ts', import.meta.url);
const hour = 3_600_000;

interface Swept {
  /** How often the end of each session was told. */
  readonly told: readonly number[];
  /** How many ends the sweepers say they made. */
  readonly claimed: number;
  readonly store: SessionStore;
}

/** Lets four processes with five sweepers each at sessions that have all run out. */
async function sweepTogether(url: string, count: number, twin: string): Promise<Swept> {
  const store = await openUrl(url);
  onTestFinished(() => store.close());
  const config = { sessionTtl: 60, maxSessionsPerUser: count };
  const { manager } = await createSessions(config, { store });
  const ids = Array.from({ length: count }, (_, i) => `s${i}`);
  // All at once would be a test of how many calls end in their time.
  for (let n = 0; n < count; n += 50) {
    const some = ids.slice(n, n + 50);
    await Promise.all(some.map((sessionId) => manager.create({ userId: 'u', sessionId })));
  }
  const children = [1, 2, 3, 4].map(() => startChild(script, [url, String(hour), twin]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of children) child.say({ go: true });
  const said = await Promise.all(children.map((child) => child.next<{ expired: number }>()));
  await Promise.all(children.map((child) => child.ended));
  const told: number[] = [];
  for (const id of ids) {
    const feed = await store.feed(id, { after: 0, limit: 100 });
    told.push(feed.filter(({ type }) => type === 'expired').length);
  }
  return { told, claimed: said.reduce((sum, { expired }) => sum + expired, 0), store };
}

describeEach(storesOnTrial, 'twenty sweepers in four processes', ({ url }) => {
  it('tell the end of each session exactly once', async () => {
    const count = countOf('sweptTogether');
    const { claimed, store, told } = await sweepTogether(await url(temporaryFolder()), count, '');
    expect(told).toEqual(Array.from({ length: count }, () => 1));
    expect(claimed).toBe(count);
    expect(await faultsOf(store)).toEqual([]);
  });
});

describeEach(storesOfTwins(storesOnTrial), 'twenty sweepers in four processes', ({ url }) => {
  it('are found telling it more often if they lack the guard', async () => {
    const { told } = await sweepTogether(await url(temporaryFolder()), 100, 'blindly');
    expect(Math.max(...told)).toBeGreaterThan(1);
  });
});
