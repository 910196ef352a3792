import { createSessions } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { startChild } from '../kit/children.ts';
import { faultsOf } from '../kit/database-faults.ts';
import { randomOf } from '../kit/random.ts';
import { startServer, storeAt } from '../kit/redis-of-test.ts';
import { TcpProxy } from '../kit/tcp-proxy.ts';
import { countOf } from '../scale.ts';

const ids = Array.from({ length: 10 }, (_, i) => `s${i}`);
const script = new URL('../children/send-copies.ts', import.meta.url);

it('five copies of each turn, a third of the answers cut, the process killed: each turn once', async () => {
  const server = await startServer();
  const store = await storeAt(server.url);
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  for (const sessionId of ids) await manager.create({ userId: 'u', sessionId });
  const keys = Array.from({ length: countOf('repeatedKeys') }, (_, i) => `k${i}`);
  const proxy = await TcpProxy.start(server.port);
  onTestFinished(() => proxy.stop());
  const place = `redis://127.0.0.1:${proxy.port}`;
  const random = randomOf(42);
  const left = new Set(keys);
  let kills = 0;
  while (left.size > 0) {
    proxy.cutsAnswer = () => false;
    const child = startChild(script, [place, ids.join(), ...left]);
    expect(await child.next()).toEqual({ did: 'open' });
    proxy.cutsAnswer = () => random.between(1, 3) === 1;
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
    const { code, signal } = await child.ended;
    expect(signal ?? code).toEqual(until > 0 ? 0 : 'SIGKILL');
  }
  expect(kills).toBe(countOf('repeatKills'));
  const stored: string[] = [];
  for (const sessionId of ids) {
    const { turns } = await manager.getState(sessionId, { turns: 'all' });
    stored.push(...turns.map(({ turnId }) => turnId));
  }
  expect(stored.toSorted()).toEqual(keys.toSorted());
  expect(await faultsOf(store)).toEqual([]);
});
