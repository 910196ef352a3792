import {
  createSessions,
  SessionCapacityError,
  SessionNotFoundError,
  type SessionStore,
  type Sessions,
} from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { openBroken } from './broken/open-broken.ts';
import { faultsIn } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { type OpenUrlOptions, openUrl } from './kit/open-url.ts';
import { type Random, randomOf } from './kit/random.ts';
import { leftAt } from './kit/stored.ts';
import {
  describeEach,
  type StoreOnTrial,
  storesOfOneServer,
  storesOfTwins,
  storesOnTrial,
  versionedStores,
} from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

const config = {
  sessionTtl: 60,
  maxTurnsPerSession: 100_000,
  maxBranchesPerSession: 1_000,
  maxSessionsPerUser: 100_000,
};

/** Several stores at one place, as several processes have them. */
async function openAll(
  url: string,
  count: number,
  clock?: () => number,
  open: (url: string, options: OpenUrlOptions) => Promise<SessionStore> = openUrl,
): Promise<readonly Sessions[]> {
  const opened: Sessions[] = [];
  for (let i = 0; i < count; i++) {
    const store = await open(url, { clock, synchronous: 'normal' });
    onTestFinished(() => store.close());
    opened.push(await createSessions(config, { store }));
  }
  return opened;
}

/** Lets the event loop turn a number of times that the seed decides. */
async function soon(random: Random, most = 4): Promise<void> {
  for (let i = random.between(0, most); i > 0; i--)
    await new Promise((resolve) => setImmediate(resolve));
}

/** One delete against eight appends, in as many rounds; answers what was left, and how many came too late. */
async function deleteWhileWriting(
  url: string,
  opened: readonly Sessions[],
  rounds: number,
): Promise<{ readonly left: readonly string[]; readonly late: number }> {
  const [one] = opened as [Sessions];
  const random = randomOf(23);
  const left: string[] = [];
  let late = 0;
  for (let round = 1; round <= rounds; round++) {
    const sessionId = `r${round}`;
    await one.manager.create({ userId: 'u', sessionId, metadata: { a: 1 } });
    await one.manager.addTurn(sessionId, { role: 'user', content: 'first' });
    const work = Array.from({ length: 8 }, async (_, i) => {
      const { checkpoints, manager } = random.pick(opened);
      await soon(random, 12);
      const turn = { role: 'user', content: `${i}` } as const;
      await manager.addTurn(sessionId, turn, { variables: { i }, operationId: `${i}` });
      if (i === 0) await checkpoints.create(sessionId, { label: 'x' });
      if (i === 1) await manager.rewind(sessionId, { toSeq: 1 });
    });
    const deleted = soon(random, 12).then(() => random.pick(opened).manager.delete(sessionId));
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'fulfilled') continue;
      late += 1;
      if (!(result.reason instanceof SessionNotFoundError)) left.push(String(result.reason));
    }
    await deleted.catch((error: unknown) => left.push(String(error)));
    const there = await one.manager.getState(sessionId).catch((error: unknown) => error);
    if (!(there instanceof SessionNotFoundError)) left.push(`${sessionId} itself`);
  }
  return { left: [...left, ...(await leftAt(url))], late };
}

describeEach(storesOnTrial, 'a delete', (kind) => {
  it('leaves nothing but the tombstone, whatever is written meanwhile', async () => {
    const url = await kind.url(temporaryFolder());
    const opened = await openAll(url, 4);
    const { late, left } = await deleteWhileWriting(url, opened, countOf('deleteRaces'));
    expect(left).toEqual([]);
    expect(late).toBeGreaterThan(0);
    expect(await faultsIn(url)).toEqual([]);
  });
});

describeEach(
  storesOfTwins(versionedStores),
  'a delete that does not look at the version',
  (kind) => {
    it('leaves something', async () => {
      const url = await kind.url('');
      const opened = await openAll(url, 4, undefined, (at, options) =>
        openBroken(at, 'without-version', options),
      );
      expect((await deleteWhileWriting(url, opened, 10)).left).not.toEqual([]);
    });
  },
);

describeEach(storesOnTrial, 'many stores at one place', (kind) => {
  it('fork an exact prefix while others write', async () => {
    const url = await kind.url(temporaryFolder());
    const opened = await openAll(url, 4);
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
    expect(await faultsIn(url)).toEqual([]);
  });

  it('keep an owner’s cap, whoever makes the sessions', async () => {
    const url = await kind.url(temporaryFolder());
    const capped: Sessions[] = [];
    for (const { store } of await openAll(url, 4)) {
      capped.push(await createSessions({ ...config, maxSessionsPerUser: 40 }, { store }));
    }
    const made = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) =>
        (capped[i % 4] as Sessions).manager.create({ userId: 'u', sessionId: `s${i}` }),
      ),
    );
    expect(made.filter((it) => it.status === 'fulfilled')).toHaveLength(40);
    for (const it of made) {
      if (it.status === 'rejected') expect(it.reason).toBeInstanceOf(SessionCapacityError);
    }
  });
});

/** Races a turn against a sweep at the very edge, again and again, and answers what came of it. */
async function raceAtTheEdge(
  kind: StoreOnTrial,
  rounds: number,
  sweep: (sweeper: Sessions) => Promise<unknown>,
): Promise<{ readonly outcomes: ReadonlySet<string>; readonly url: string }> {
  let now = 1_800_000_000_000;
  const url = await kind.url(temporaryFolder());
  const [toucher, sweeper] = (await openAll(url, 2, () => now)) as [Sessions, Sessions];
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
  return { outcomes, url };
}

describeEach(storesOfOneServer, 'a session at the edge of its time', (kind) => {
  it('is never swept if it was touched in time', async () => {
    const rounds = countOf('expiryRaces');
    const { outcomes, url } = await raceAtTheEdge(kind, rounds, async ({ cleanup }) => {
      expect((await cleanup.sweep()).failures).toEqual([]);
    });
    expect(outcomes).toEqual(new Set(['touched, active, 1', 'late, expired, 0']));
    expect(await faultsIn(url)).toEqual([]);
  });
});

describeEach(storesOfTwins(storesOfOneServer), 'a session at the edge of its time', (kind) => {
  it('is found to be swept by a sweeper that ends what was due when it looked', async () => {
    // It looks as if the time were up a little early, as one does that judges by a clock of its own.
    const { outcomes } = await raceAtTheEdge(kind, 60, async ({ manager, store }) => {
      const { items } = await manager.list({ status: 'active', limit: 1 });
      await new Promise((resolve) => setImmediate(resolve));
      for (const { sessionId } of items) {
        await store.commit(sessionId, { status: { to: 'closed' }, event: { type: 'expired' } });
      }
    });
    expect([...outcomes].filter((outcome) => /^touched, (?!active)/.test(outcome))).not.toEqual([]);
  });
});
