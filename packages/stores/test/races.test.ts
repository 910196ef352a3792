import { createSessions, SessionNotFoundError, type Sessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { faultsIn } from './kit/database-faults.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { type Random, randomOf } from './kit/random.ts';
import { countOf } from './scale.ts';

/** Several connections to one file, as several processes have them. */
async function openAll(path: string, count: number, clock = Date.now): Promise<Sessions[]> {
  const opened: Sessions[] = [];
  for (let i = 0; i < count; i++) {
    const store = await SqliteSessionStore.open(path, { clock, synchronous: 'normal' });
    onTestFinished(() => store.close());
    opened.push(
      await createSessions(
        {
          sessionTtl: 60,
          maxTurnsPerSession: 100_000,
          maxBranchesPerSession: 1_000,
          maxSessionsPerUser: 100_000,
        },
        { store },
      ),
    );
  }
  return opened;
}

/** Lets the event loop turn a number of times that the seed decides. */
async function soon(random: Random): Promise<void> {
  for (let i = random.between(0, 4); i > 0; i--)
    await new Promise((resolve) => setImmediate(resolve));
}

it('a delete brings nothing back, whatever is written meanwhile', async () => {
  const path = temporaryFile();
  const opened = await openAll(path, 4);
  const [one] = opened as [Sessions];
  const random = randomOf(23);
  let refused = 0;
  for (let round = 1; round <= countOf('deleteRaces'); round++) {
    const sessionId = `r${round}`;
    await one.manager.create({ userId: 'u', sessionId, metadata: { a: 1 } });
    await one.manager.addTurn(sessionId, { role: 'user', content: 'first' });
    const work = Array.from({ length: 8 }, async (_, i) => {
      const { checkpoints, manager } = random.pick(opened);
      await soon(random);
      const turn = { role: 'user', content: `${i}` } as const;
      await manager.addTurn(sessionId, turn, { variables: { i }, operationId: `${i}` });
      if (i === 0) await checkpoints.create(sessionId, { label: 'x' });
      if (i === 1) await manager.rewind(sessionId, { toSeq: 1 });
    });
    const deleted = (async () => {
      const { manager } = random.pick(opened);
      await soon(random);
      await manager.delete(sessionId);
    })();
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'fulfilled') continue;
      refused += 1;
      expect(result.reason).toBeInstanceOf(SessionNotFoundError);
    }
    await deleted;
    await expect(one.manager.getState(sessionId)).rejects.toThrow(SessionNotFoundError);
  }
  expect(refused).toBeGreaterThan(0);
  for (const table of ['turns', 'timelines', 'records', 'variables']) {
    expect(query(path, `SELECT * FROM ai_${table}`), table).toEqual([]);
  }
  expect(await faultsIn(path)).toEqual([]);
});

it('a fork that is taken while others write is an exact prefix', async () => {
  const path = temporaryFile();
  const opened = await openAll(path, 4);
  const [one] = opened as [Sessions];
  await one.manager.create({ userId: 'u', sessionId: 'hot' });
  const count = countOf('forksWhileWriting');
  let forking = true;
  const writers = Array.from({ length: 8 }, async (_, i) => {
    const { manager } = opened[i % 4] as Sessions;
    for (let n = 1; forking; n++) {
      await manager.addTurn('hot', { turnId: `w${i}-${n}`, role: 'user', content: 'x' });
    }
  });
  const branches: { readonly sessionId: string; readonly turnCount: number }[] = [];
  try {
    for (let n = 1; n <= count; n++) {
      branches.push(await (opened[n % 4] as Sessions).branches.fork('hot', `b${n}`));
    }
  } finally {
    forking = false;
  }
  await Promise.all(writers);
  const { turns } = await one.manager.getState('hot', { turns: 'all' });
  const ids = turns.map((turn) => turn.turnId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { sessionId, turnCount } of branches) {
    const branch = await one.manager.getState(sessionId, { turns: 'all' });
    expect(branch.turns.map((turn) => turn.turnId)).toEqual(ids.slice(0, turnCount));
  }
  expect(await faultsIn(path)).toEqual([]);
});

/** Races a turn against a sweep at the very edge, again and again, and answers what came of it. */
async function raceAtTheEdge(
  rounds: number,
  sweep: (sweeper: Sessions) => Promise<unknown>,
): Promise<{ readonly outcomes: ReadonlySet<string>; readonly path: string }> {
  let now = 1_800_000_000_000;
  const path = temporaryFile();
  const [toucher, sweeper] = (await openAll(path, 2, () => now)) as [Sessions, Sessions];
  const random = randomOf(13);
  const outcomes = new Set<string>();
  for (let round = 1; round <= rounds; round++) {
    const sessionId = `r${round}`;
    await toucher.manager.create({ userId: 'u', sessionId });
    now += 59_999;
    const touched = (async () => {
      await soon(random);
      await toucher.manager.addTurn(sessionId, { role: 'user', content: 'still here' });
    })().then(
      () => true,
      () => false,
    );
    const swept = (async () => {
      await soon(random);
      now += 1;
      await sweep(sweeper);
    })();
    const wasTouched = await touched;
    await swept;
    const { status, turnCount } = await toucher.manager.getState(sessionId);
    outcomes.add(`${wasTouched ? 'touched' : 'late'}, ${status}, ${turnCount}`);
    now += 120_000;
  }
  return { outcomes, path };
}

it('a session that was touched in time is never swept', async () => {
  const { outcomes, path } = await raceAtTheEdge(countOf('expiryRaces'), async ({ cleanup }) => {
    expect((await cleanup.sweep()).failures).toEqual([]);
  });
  expect(outcomes).toEqual(new Set(['touched, active, 1', 'late, expired, 0']));
  expect(await faultsIn(path)).toEqual([]);
});

it('the same races find a sweeper that ends what was due when it looked', async () => {
  // It looks as if the time were up a little early, as one does that judges by a clock of its own.
  const { outcomes } = await raceAtTheEdge(60, async ({ manager, store }) => {
    const { items } = await manager.list({ status: 'active', limit: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    for (const { sessionId } of items) {
      await store.commit(sessionId, { status: { to: 'closed' }, event: { type: 'expired' } });
    }
  });
  expect([...outcomes].filter((outcome) => /^touched, (?!active)/.test(outcome))).not.toEqual([]);
});
