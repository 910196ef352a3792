import { createSessions } from '@lexigram/ai-session';
import { RedisServer } from '@lexigram/ai-session-servers';
import { expect, it } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { randomOf } from '../kit/random.ts';
import { countOf } from '../scale.ts';

interface Lost {
  /** Turns that were acknowledged, and those of them that are not there any more. */
  readonly acknowledged: number;
  readonly lost: readonly string[];
  /** Sessions whose history has a gap or the same turn twice. */
  readonly broken: readonly string[];
}

/** Writers on eight sessions while the server is killed again and again, at moments that the seed decides. */
async function writeWhileKilled(server: RedisServer, kills: number): Promise<Lost> {
  const store = await CacheSessionStore.open(server.url, { callTimeoutMs: 15_000 });
  const config = { maxTurnsPerSession: 1_000_000, sessionTtl: 0, maxSessionsPerUser: 1_000 };
  const sessions = await createSessions(config, { store });
  const random = randomOf(8);
  const acknowledged = new Map<string, string[]>();
  for (let n = 0; n < 8; n++) {
    acknowledged.set((await sessions.manager.create({ userId: 'u' })).sessionId, []);
  }
  let over = false;
  const writing = [...acknowledged].map(async ([sessionId, own]) => {
    for (let n = 1; !over; n++) {
      // The same turn again until it is acknowledged: whether it went through before is not known.
      const turn = { turnId: `t${n}`, role: 'user', content: `${n}` } as const;
      for (let done = false; !done && !over; ) {
        try {
          await sessions.manager.addTurn(sessionId, turn);
          own.push(turn.turnId);
          done = true;
        } catch (error) {
          // Without persistence the session itself is gone after a kill.
          if ((error as { code?: string }).code === 'LEX_ERR_SES_007') return;
        }
      }
    }
  });
  for (let kill = 0; kill < kills; kill++) {
    const before = server.pid;
    await new Promise((resolve) => setTimeout(resolve, random.between(100, 300)));
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(before);
  }
  over = true;
  await Promise.all(writing);
  const lost: string[] = [];
  const broken: string[] = [];
  for (const [sessionId, own] of acknowledged) {
    const there = await sessions.manager.getState(sessionId, { turns: 'all' }).catch(() => null);
    const ids = (there?.turns ?? []).map((turn) => turn.turnId);
    const known = new Set(ids);
    lost.push(...own.filter((id) => !known.has(id)));
    if (known.size !== ids.length || ids.some((id, i) => id !== `t${i + 1}`)) {
      broken.push(sessionId);
    }
  }
  await sessions.close();
  await store.close();
  return { acknowledged: [...acknowledged.values()].flat().length, lost, broken };
}

it('kill -9 of the server loses nothing that was acknowledged, with appendfsync always', async () => {
  const server = await RedisServer.start({
    settings: { appendonly: 'yes', appendfsync: 'always' },
  });
  try {
    const store = await CacheSessionStore.open(server.url);
    expect(store.durability).toBe('always');
    await store.close();
    const { acknowledged, broken, lost } = await writeWhileKilled(server, countOf('redisKills'));
    expect({ broken, lost }).toEqual({ broken: [], lost: [] });
    expect(acknowledged).toBeGreaterThan(countOf('redisKills') * 20);
  } finally {
    await server.stop();
  }
});

it('the same check finds what a server without persistence loses', async () => {
  const server = await RedisServer.start();
  try {
    const { lost } = await writeWhileKilled(server, 1);
    expect(lost).not.toEqual([]);
  } finally {
    await server.stop();
  }
});
