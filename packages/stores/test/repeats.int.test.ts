import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { clusterOverNetwork, networkStores, throughProxy } from './kit/network-stores.ts';
import { openUrl } from './kit/open-url.ts';
import { randomOf } from './kit/random.ts';
import { contentsAt } from './kit/stored.ts';
import { describeEach, storesOfTwins } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

const ids = Array.from({ length: 10 }, (_, i) => `s${i}`);
const script = new URL('./children/send-copies.ts', import.meta.url);

/** Makes the sessions, and answers the keys of turns. */
async function prepare(url: string, count: number): Promise<readonly string[]> {
  const store = await openUrl(url);
  const { manager } = await createSessions({}, { store });
  for (const sessionId of ids) await manager.create({ userId: 'u', sessionId });
  await store.close();
  return Array.from({ length: count }, (_, i) => `k${i}`);
}

const stores = [...networkStores, clusterOverNetwork];

describeEach(stores, 'turns that are sent again', (kind) => {
  it('in five copies, a third of the answers cut, the process killed, are there once', async () => {
    const url = await kind.url('');
    const keys = await prepare(url, countOf('repeatedKeys'));
    const { proxy, url: proxied } = await throughProxy(url);
    const random = randomOf(42);
    const left = new Set(keys);
    let kills = 0;
    let cuts = 0;
    while (left.size > 0) {
      proxy.cutsAnswer = () => false;
      const child = startChild(script, [proxied, ids.join(), '', ...left]);
      expect(await child.next()).toEqual({ did: 'open' });
      proxy.cutsAnswer = () => {
        const isCut = random.between(1, 3) === 1;
        if (isCut) cuts += 1;
        return isCut;
      };
      let until =
        kills < countOf('repeatKills')
          ? random.between(1, Math.ceil(keys.length / countOf('repeatKills')))
          : Number.POSITIVE_INFINITY;
      for await (const { key } of child.messages<{ key?: string }>()) {
        if (key === undefined) continue;
        left.delete(key);
        until -= 1;
        if (until === 0) {
          kills += 1;
          child.kill();
        }
      }
      const { code, errors, signal } = await child.ended;
      expect({ errors, ended: signal ?? code }).toEqual({
        errors: '',
        ended: until > 0 ? 0 : 'SIGKILL',
      });
    }
    expect(kills).toBe(countOf('repeatKills'));
    expect(cuts).toBeGreaterThan(keys.length / 10);
    expect((await contentsAt(url)).toSorted()).toEqual(keys.toSorted());
    expect(await faultsIn(url)).toEqual([]);
  });
});

describeEach(storesOfTwins(stores), 'turns that are sent again', (kind) => {
  it('are there twice if nothing keeps their ids apart', async () => {
    const url = await kind.url('');
    const keys = await prepare(url, 30);
    const children = [1, 2].map(() => startChild(script, [url, ids.join(), 'forgets', ...keys]));
    for (const child of children) {
      for await (const _ of child.messages());
      expect((await child.ended).errors).toBe('');
    }
    expect((await contentsAt(url)).length).toBeGreaterThan(keys.length);
  });
});
