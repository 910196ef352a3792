import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import type { Written } from '../children/write-spread.ts';
import { startChild } from '../kit/children.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { storeAt } from '../kit/redis-of-test.ts';
import { countOf } from '../scale.ts';

const names = ['a', 'b', 'c', 'd'];

it('32 writers in four processes: no duplicate, no gap, no reorder, and each read a prefix', async () => {
  const url = await ownRedisUrl();
  const store = await storeAt(url);
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  const ids = ['hot', ...Array.from({ length: 64 }, (_, i) => `s${i + 1}`)];
  for (const sessionId of ids) await manager.create({ userId: sessionId, sessionId });
  const contentsOf = async (sessionId: string): Promise<readonly string[]> => {
    const { turns } = await manager.getState(sessionId, { turns: 'all' });
    return turns.map((turn) => turn.content as string);
  };
  const script = new URL('../children/write-spread.ts', import.meta.url);
  const count = String(countOf('spreadTurns') / names.length);
  const children = names.map((name, i) => startChild(script, [url, name, `${i}`, count, ...ids]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of children) child.say({ go: true });

  const told = Promise.all(
    children.map((child) => child.next<{ written: Record<string, readonly Written[]> }>()),
  );
  let writing = true;
  void told.then(() => {
    writing = false;
  });
  const reads: (readonly [string, readonly string[]])[] = [];
  for (let n = 0; writing || n < 10; n++) {
    const sessionId = ids[n % 3 === 0 ? 0 : n % ids.length] as string;
    reads.push([sessionId, await contentsOf(sessionId)]);
  }
  const written = (await told).flatMap((it) => Object.entries(it.written));
  const final = new Map<string, readonly string[]>();
  for (const sessionId of ids) final.set(sessionId, await contentsOf(sessionId));
  expect(written.flatMap(([, turns]) => turns)).toHaveLength(countOf('spreadTurns'));
  for (const [writer, turns] of written) {
    for (const [sessionId, seq, n] of turns) {
      expect(final.get(sessionId)?.[seq - 1]).toBe(`${writer} ${n}`);
    }
  }
  expect([...final.values()].flat()).toHaveLength(countOf('spreadTurns'));
  for (const [sessionId, contents] of reads) {
    expect(contents).toEqual(final.get(sessionId)?.slice(0, contents.length));
  }
  expect(await faultsOf(store)).toEqual([]);
});
