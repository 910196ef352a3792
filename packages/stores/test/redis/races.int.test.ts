import { createSessions, isSessionError, type Sessions } from '@lexigram/ai-session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { redis, redisCluster } from '../kit/stores-on-trial.ts';
import { countOf } from '../scale.ts';

const config = {
  maxTurnsPerSession: 1_000_000,
  maxSessionsPerUser: 1_000_000,
  sessionTtl: 0,
} as const;

/** Four that know nothing of each other but the server: each has its own connection and its own memory. */
let writers: Sessions[];
let stores: CacheSessionStore[];

async function openFour(url: string): Promise<void> {
  stores = await Promise.all([1, 2, 3, 4].map(() => CacheSessionStore.open(url)));
  writers = await Promise.all(stores.map((store) => createSessions(config, { store })));
}

afterEach(async () => {
  for (const sessions of writers) await sessions.close();
  for (const store of stores) await store.close();
});

const first = (): Sessions => writers[0] as Sessions;

describe.each([redis, redisCluster])('four connections on one session of $name', (kind) => {
  beforeEach(async () => openFour(await kind.url('')));

  it('append without a gap, a duplicate or another order than each one’s own', async () => {
    const { sessionId } = await first().manager.create({ userId: 'u' });
    const count = countOf('turnsPerWriter');
    const reads: string[][] = [];
    let writing = true;
    const reading = (async () => {
      while (writing) {
        const { turns } = await first().manager.getState(sessionId, { turns: 'all' });
        reads.push(turns.map((turn) => String(turn.content)));
      }
    })();
    await Promise.all(
      writers.flatMap(({ manager }, w) =>
        Array.from({ length: 8 }, async (_, lane) => {
          for (let i = 0; i < count / 8; i++) {
            await manager.addTurn(sessionId, { role: 'user', content: `${w}.${lane} ${i}` });
          }
        }),
      ),
    );
    writing = false;
    await reading;
    const { turns } = await first().manager.getState(sessionId, { turns: 'all' });
    const all = turns.map((turn) => String(turn.content));
    const each = Math.ceil(count / 8);
    expect(turns.map((turn) => turn.seq)).toEqual(all.map((_, i) => i + 1));
    expect(new Set(all).size).toBe(32 * each);
    for (const lane of new Set(all.map((text) => text.split(' ')[0]))) {
      const own = all.filter((text) => text.startsWith(`${lane} `));
      expect(own).toEqual(Array.from({ length: each }, (_, i) => `${lane} ${i}`));
    }
    for (const read of reads) expect(read).toEqual(all.slice(0, read.length));
  });

  it('of sixteen with the same head exactly one wins, and nothing of the others is written', async () => {
    const { sessionId } = await first().manager.create({ userId: 'u' });
    const rounds = countOf('headRounds');
    for (let round = 1; round <= rounds; round++) {
      const { head: expectedHead } = await first().manager.getState(sessionId);
      const said = await Promise.allSettled(
        Array.from({ length: 16 }, (_, n) =>
          (writers[n % 4] as Sessions).manager.addTurn(
            sessionId,
            { role: 'user', content: `${n}` },
            { expectedHead, variables: { winner: n } },
          ),
        ),
      );
      const lost = said.filter((it) => it.status === 'rejected');
      expect(lost.length, `round ${round}`).toBe(15);
      for (const { reason } of lost) expect(reason).toMatchObject({ reason: 'head' });
    }
    const { revision, turnCount } = await first().manager.getState(sessionId);
    expect({ revision, turnCount }).toEqual({ revision: rounds + 1, turnCount: rounds });
  });

  it('a delete against eight appends leaves nothing but the tombstone', async () => {
    for (let round = 0; round < countOf('deleteRaces'); round++) {
      const { sessionId } = await first().manager.create({ userId: 'u' });
      const appends = Array.from({ length: 8 }, (_, n) =>
        (writers[n % 4] as Sessions).manager
          .addTurn(sessionId, { role: 'user', content: `${n}` })
          .then(
            () => null,
            (error: unknown) => error,
          ),
      );
      await (writers[round % 4] as Sessions).manager.delete(sessionId);
      for (const error of await Promise.all(appends)) {
        if (error !== null) expect(isSessionError(error) && error.code).toBe('LEX_ERR_SES_007');
      }
      const store = stores[0] as CacheSessionStore;
      expect(await store.session(sessionId)).toBeNull();
      expect(await store.timelines([`${sessionId}.1`])).toEqual([null]);
      const all = [{ timelineId: `${sessionId}.1`, from: 1, to: 100 }];
      expect(await store.turns(all, { limit: 100, order: 'asc' })).toEqual([]);
    }
  });

  it('sessions of one owner never pass the cap, whoever makes them', async () => {
    const capped = await Promise.all(
      stores.map((store) => createSessions({ ...config, maxSessionsPerUser: 5 }, { store })),
    );
    const made = await Promise.allSettled(
      Array.from({ length: 24 }, (_, n) =>
        (capped[n % 4] as Sessions).manager.create({ userId: 'crowded' }),
      ),
    );
    expect(made.filter((it) => it.status === 'fulfilled').length).toBe(5);
    for (const sessions of capped) await sessions.close();
  });
});
