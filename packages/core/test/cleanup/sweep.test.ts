import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { stagedRecord } from '../../src/branching/staged.ts';
import type { SessionCleanupScheduler } from '../../src/cleanup/session-cleanup-scheduler.ts';
import type { SweepReport } from '../../src/cleanup/sweep.ts';
import type { SessionStore } from '../../src/store/port.ts';
import { countOf } from '../scale.ts';
import { type Bench, openBench } from './opened.ts';

const day = 24 * 60 * 60 * 1000;
const say = (content: string) => ({ role: 'user' as const, content });

/** The counts of a report that are not 0. */
function didOf(report: SweepReport): Record<string, number> {
  const { failures, ...counts } = report;
  expect(failures).toEqual([]);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** How often the end of each session was told. */
async function endsOf(store: SessionStore, ids: readonly string[]): Promise<number[]> {
  return Promise.all(
    ids.map(async (id) => {
      const feed = await store.feed(id, { after: 0, limit: 100 });
      return feed.filter(({ type }) => type === 'expired').length;
    }),
  );
}

/** Lets twenty sweepers at many expired sessions at once. */
async function sweepTogether(
  bench: Bench,
  sweep: (cleanup: SessionCleanupScheduler, store: SessionStore) => Promise<number>,
): Promise<{ readonly told: readonly number[]; readonly claimed: number }> {
  const count = countOf(1_000, 200);
  const { sessions } = await bench.open({ sessionTtl: 60, maxSessionsPerUser: count });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push((await sessions.manager.create({ userId: 'u' })).sessionId);
  }
  bench.now += 60_000;
  const opened = await Promise.all(Array.from({ length: 20 }, () => bench.open()));
  const claims = await Promise.all(opened.map(({ cleanup }) => sweep(cleanup, bench.store)));
  return {
    told: await endsOf(bench.store, ids),
    claimed: claims.reduce((sum, claim) => sum + claim, 0),
  };
}

describe('many sweepers', () => {
  it('tell the end of each session once', async () => {
    const { claimed, told } = await sweepTogether(openBench(), async (cleanup) => {
      return (await cleanup.sweep()).expired;
    });
    expect(new Set(told)).toEqual(new Set([1]));
    expect(claimed).toBe(told.length);
  });

  it('that look first and write later tell it more often', async () => {
    const { told } = await sweepTogether(openBench(), async (_cleanup, store) => {
      const items = await store.due({ limit: 10_000 });
      for (const { sessionId } of items) {
        const feed = await store.feed(sessionId, { after: 0, limit: 100 });
        if (feed.some(({ type }) => type === 'expired')) continue;
        await store.commit(sessionId, { event: { type: 'expired' } });
      }
      return items.length;
    });
    expect(Math.max(...told)).toBeGreaterThan(1);
  });
});

it('of many sweepers, listeners of the one that marked a session hear of it', async () => {
  const bench = openBench();
  const { sessions } = await bench.open({ sessionTtl: 60, maxSessionsPerUser: 100 });
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    ids.push((await sessions.manager.create({ userId: 'u' })).sessionId);
  }
  bench.now += 60_000;
  const opened = await Promise.all(Array.from({ length: 20 }, () => bench.open()));
  const heard: string[] = [];
  for (const one of opened) {
    one.sessions.events.on('closed', ({ sessionId, status }) => {
      heard.push(`${sessionId} ${status}`);
    });
  }
  await Promise.all(opened.map((one) => one.sessions.cleanup.sweep()));
  // Listeners are called soon after; nothing waits for them.
  while (heard.length < ids.length) await setImmediate();
  await setImmediate();
  expect(heard.toSorted()).toEqual(ids.map((id) => `${id} expired`).toSorted());
});

describe('a sweep', () => {
  it('marks what has run out and leaves the rest', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open();
    const { manager } = sessions;
    for (const sessionId of ['late', 'touched', 'closed', 'suspended']) {
      await manager.create({ userId: 'u', sessionId });
    }
    await manager.suspend('suspended');
    await manager.close('closed');
    bench.now += 59_999;
    expect(didOf(await cleanup.sweep())).toEqual({});
    await manager.addTurn('touched', say('still here'));
    bench.now += 1;
    expect(didOf(await cleanup.sweep())).toEqual({ expired: 2 });
    const statuses = await Promise.all(
      ['late', 'touched', 'closed', 'suspended'].map(
        async (id) => (await manager.getState(id)).status,
      ),
    );
    expect(statuses).toEqual(['expired', 'active', 'closed', 'expired']);
    const marked = await manager.getState('late');
    expect(marked.revision).toBe(2);
    expect(Date.parse(marked.updatedAt)).toBe(bench.now);
    expect(marked.closedReason).toBeNull();
    expect(didOf(await cleanup.sweep())).toEqual({});
  });

  it('finds what is behind records that are not its own', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open();
    await sessions.manager.create({ userId: 'u', sessionId: 'other' });
    const records = Array.from({ length: 1_300 }, (_, i) => ({
      kind: 'of-another-part',
      key: String(i),
      value: '',
      dueInMs: 1_000,
    }));
    await bench.store.commit('other', { records, expiry: { ttlMs: null, maxAgeMs: null } });
    await sessions.manager.create({ userId: 'u', sessionId: 'late' });
    bench.now += 60_000;
    expect(didOf(await cleanup.sweep())).toEqual({ expired: 1 });
    expect((await bench.store.records('other', 'of-another-part', { limit: 2_000 })).length).toBe(
      1_300,
    );
  });

  it('leaves one fault to the next sweep, and does the rest', async () => {
    const bench = openBench();
    let broken = true;
    const { cleanup, sessions } = await bench.open(
      { sessionTtl: 60 },
      {
        commit: (id, commit) => {
          if (broken && id === 'b' && commit.status?.to === 'expired') throw new Error('no');
          return bench.store.commit(id, commit);
        },
      },
    );
    for (const sessionId of ['a', 'b', 'c']) {
      await sessions.manager.create({ userId: 'u', sessionId });
    }
    bench.now += 60_000;
    const { expired, failures } = await cleanup.sweep();
    expect(expired).toBe(2);
    expect(failures).toEqual([{ sessionId: 'b', error: new Error('no') }]);
    broken = false;
    expect(didOf(await cleanup.sweep())).toEqual({ expired: 1 });
  });

  it('marks what has run out, also if old rows cannot be dropped', async () => {
    const bench = openBench();
    const error = new Error('locked');
    const { cleanup, sessions } = await bench.open(
      { sessionTtl: 60 },
      { collect: () => Promise.reject(error) },
    );
    await sessions.manager.create({ userId: 'u' });
    bench.now += 60_000;
    expect(await cleanup.sweep()).toMatchObject({
      expired: 1,
      failures: [{ sessionId: null, error }],
    });
  });

  it('finishes an erase that was cut short', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open({ sessionTtl: 0 });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    for (let i = 0; i < 30; i++) {
      const turns = Array.from({ length: 50 }, (_, n) => say(`${i} ${n}`));
      await sessions.manager.addTurns(sessionId, turns).catch(() => undefined);
    }
    const branch = await sessions.branches.fork(sessionId, 'b', { atSeq: 3 });
    await bench.store.erase(sessionId, { limit: 10 });
    expect(didOf(await cleanup.sweep())).toEqual({ erased: 1 });
    const segment = { timelineId: `${sessionId}.1`, from: 1, to: 9_999 };
    const kept = await bench.store.turns([segment], { limit: 9_999, order: 'asc' });
    expect(kept.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await sessions.manager.delete(branch.sessionId);
    bench.now += 26 * 60 * 60 * 1000;
    await cleanup.sweep();
    expect(await bench.store.timelines([`${sessionId}.1`])).toEqual([null]);
    // The tombstones are gone too: the id is free.
    await sessions.manager.create({ userId: 'u', sessionId });
  });

  it('drops what outlived its window, and nothing younger', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open({ sessionTtl: 0 });
    const { manager } = sessions;
    const { sessionId } = await manager.create({ userId: 'u' });
    for (let i = 0; i < 600; i++) {
      await manager.setMetadata(sessionId, { i }, { operationId: `op${i}` });
    }
    bench.now += day;
    await manager.setMetadata(sessionId, { i: 'young' }, { operationId: 'young' });
    expect(didOf(await cleanup.sweep())).toEqual({ collected: 600 });
    bench.now += day / 2;
    expect(didOf(await cleanup.sweep())).toEqual({ collected: 601 });
    const feed = await bench.store.feed(sessionId, { after: 0, limit: 1_000 });
    expect(feed.map(({ revision }) => revision)).toEqual([602]);
    expect((await manager.getState(sessionId)).metadata).toEqual({ i: 'young' });
  });

  it('erases a timeline that was opened out of sight and never used', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open({ sessionTtl: 0 });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const id = `${sessionId}.2`;
    const root = `${sessionId}.1`;
    const turn = { turnId: 'x', chosen: true, body: '{}', tokens: 0, cost: 0, at: null };
    const staged = stagedRecord(id, 60_000);
    await bench.store.commit(sessionId, {
      timeline: { timelineId: id, base: null, lineage: [], chunks: {}, root },
      records: [staged],
    });
    for (let i = 0; i < 3; i++) {
      const turns = Array.from({ length: 700 }, (_, n) => ({
        ...turn,
        turnId: `x${i}-${n}`,
        origin: { timelineId: 'x.1', seq: n + 1 },
      }));
      const guards = { records: [{ kind: 'staged', key: '2', version: 1 }] };
      const fill = { timelineId: id, turns };
      const records = [{ ...staged, sameVersion: true }];
      await bench.store.commit(sessionId, { guards, append: fill, records });
      bench.now += 59_999;
      expect(didOf(await cleanup.sweep())).toEqual({});
    }
    bench.now += 1;
    expect(didOf(await cleanup.sweep())).toEqual({ dropped: 1 });
    expect(await bench.store.timelines([id])).toEqual([null]);
    expect(await bench.store.record(sessionId, 'staged', '2')).toBeNull();
    expect((await sessions.manager.getState(sessionId, { turns: 'all' })).turns.length).toBe(1);
  });
});

describe('the retention', () => {
  it('purges expired sessions when their time is up, and closed ones never', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open({ sessionTtl: 60, retention: 3_600 });
    const { manager } = sessions;
    await manager.create({ userId: 'u', sessionId: 'late' });
    await manager.addTurn('late', say('a'));
    const branch = await sessions.branches.fork('late', 'b');
    await manager.close(branch.sessionId);
    bench.now += 60_000;
    expect(didOf(await cleanup.sweep())).toMatchObject({ expired: 1, confirmed: 1 });
    bench.now += 3_599_999;
    expect(didOf(await cleanup.sweep())).toEqual({});
    expect((await manager.getState('late')).status).toBe('expired');
    bench.now += 1;
    expect(didOf(await cleanup.sweep())).toEqual({ purged: 1 });
    await expect(manager.getState('late')).rejects.toThrow('Session not found');
    const read = await manager.getState(branch.sessionId, { turns: 'all' });
    expect(read.turns.map(({ content }) => content)).toEqual(['a']);
  });

  it('may be made longer, or taken back, as long as nothing is purged', async () => {
    const bench = openBench();
    const short = await bench.open({ sessionTtl: 60, retention: 100 });
    const long = await bench.open({ sessionTtl: 60, retention: 300 });
    const ever = await bench.open({ sessionTtl: 60 });
    for (const sessionId of ['a', 'b']) {
      await short.sessions.manager.create({ userId: 'u', sessionId });
    }
    bench.now += 60_000;
    expect(didOf(await short.cleanup.sweep())).toEqual({ expired: 2 });
    bench.now += 100_000;
    expect(didOf(await long.cleanup.sweep())).toEqual({});
    bench.now += 199_999;
    expect(didOf(await short.cleanup.sweep())).toEqual({});
    bench.now += 1;
    expect(didOf(await ever.cleanup.sweep())).toEqual({});
    expect(didOf(await short.cleanup.sweep())).toEqual({});
    expect((await ever.sessions.manager.getState('a')).status).toBe('expired');
  });

  it('of nothing purges at once', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open({ sessionTtl: 60, retention: 0 });
    await sessions.manager.create({ userId: 'u', sessionId: 'late' });
    bench.now += 60_000;
    expect(didOf(await cleanup.sweep())).toEqual({ expired: 1, purged: 1 });
  });
});
