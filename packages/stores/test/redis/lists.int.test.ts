import type { SessionStore } from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { newSession } from '../kit/commits.ts';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { storeAt } from '../kit/redis-of-test.ts';

describe('a list', () => {
  it('has each of many sessions of one millisecond once, in order', async () => {
    const store = await storeAt(await ownRedisUrl(), { clock: () => 1_790_000_000_000 });
    const ids = Array.from({ length: 450 }, (_, i) => `s${i}`);
    await Promise.all(ids.map((id) => store.create(newSession(id))));
    const ordered = ids.toSorted().toReversed();
    const idsOf = (rows: Awaited<ReturnType<SessionStore['list']>>) =>
      rows.map((it) => it.sessionId);
    expect(idsOf(await store.list({ limit: 1_000 }))).toEqual(ordered);
    expect(idsOf(await store.list({ userId: 'u', limit: 449 }))).toEqual(ordered.slice(0, 449));
    const paged: string[] = [];
    for (let after: { createdAt: number; sessionId: string } | undefined; ; ) {
      const page = await store.list({ limit: 77, ...(after === undefined ? {} : { after }) });
      paged.push(...idsOf(page));
      after = page.at(-1);
      if (after === undefined) break;
    }
    expect(paged).toEqual(ordered);
  });

  it('misses none that stays, and has none twice, whatever is made and deleted meanwhile', async () => {
    const url = await ownRedisUrl();
    const [store, other] = [await storeAt(url), await storeAt(url)];
    let now = 1_790_000_000_000;
    const clocked = await storeAt(url, { clock: () => now });
    const stays: string[] = [];
    for (let i = 0; i < 700; i++) {
      now += i % 3;
      await clocked.create(newSession(`s${i}`));
      if (i % 2 === 0) stays.push(`s${i}`);
    }
    const changing = (async () => {
      for (let i = 699; i >= 0; i -= 2) {
        await other.erase(`s${i}`, { limit: 100 });
        await other.create(newSession(`new${i}`));
      }
    })();
    for (let over = false; !over; ) {
      void changing.then(() => {
        over = true;
      });
      const found = (await store.list({ limit: 10_000 })).map((it) => it.sessionId);
      expect(new Set(found).size).toBe(found.length);
      expect(new Set(stays).difference(new Set(found))).toEqual(new Set());
    }
    await changing;
  });
});
