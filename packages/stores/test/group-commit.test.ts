import { DatabaseSync } from 'node:sqlite';
import { SessionCorruptDataError, type SessionStore } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { appending, newSession } from './kit/commits.ts';
import { faultsIn } from './kit/database-faults.ts';
import { storedTurns } from './kit/database-rows.ts';
import { longestPause } from './kit/event-loop.ts';
import { temporaryFile } from './kit/folder.ts';
import { commitsInLog } from './kit/wal.ts';

async function openWith(sessionIds: readonly string[]) {
  const path = temporaryFile();
  const store = await SqliteSessionStore.open(path);
  onTestFinished(() => store.close());
  for (const sessionId of sessionIds) await store.create(newSession(sessionId));
  return { path, store };
}

const ids = Array.from({ length: 20 }, (_, i) => `s${i + 1}`);

describe('turns of one tick', () => {
  it('share one transaction', async () => {
    const { path, store } = await openWith(ids);
    // On a busy machine the event loop may have to be let go in between.
    for (let round = 1, shared = false; !shared; round++) {
      expect(round).toBeLessThan(10);
      const before = commitsInLog(path);
      const results = await Promise.all(ids.map((id) => store.commit(id, appending(`t${round}`))));
      expect(results.map((it) => it.refused)).toEqual(ids.map(() => undefined));
      shared = commitsInLog(path) - before === 1;
    }
    const before = commitsInLog(path);
    // One that is alone has its own, and what comes in another tick too.
    await store.commit('s1', appending('u'));
    await store.commit('s1', appending('v'));
    expect(commitsInLog(path) - before).toBe(2);
  });

  it('stand in the order in which they were asked for', async () => {
    const { store } = await openWith(['s1']);
    const turnIds = Array.from({ length: 50 }, (_, i) => `t${i + 1}`);
    const results = await Promise.all(turnIds.map((id) => store.commit('s1', appending(id))));
    expect(results.map((it) => 'turns' in it && it.turns[0])).toEqual(
      turnIds.map((_, i) => expect.objectContaining({ seq: i + 1 })),
    );
  });

  it('do not hold the event loop, however many there are', async () => {
    const { path, store } = await openWith(ids);
    const turnIds = Array.from({ length: 300 }, (_, i) => `t${i + 1}`);
    const pause = await longestPause(async () => {
      const commits = ids.flatMap((id) =>
        turnIds.map((turnId) => store.commit(id, appending(turnId))),
      );
      await Promise.all(commits);
    });
    expect(pause).toBeLessThan(250);
    expect(storedTurns(path)).toHaveLength(ids.length * turnIds.length);
    expect(await faultsIn(path)).toEqual([]);
  });
});

describe('of jobs in one tick', () => {
  it('one that is refused changes nothing for the others', async () => {
    const { path, store } = await openWith(['a', 'b']);
    const before = commitsInLog(path);
    const results = await Promise.all([
      store.commit('a', appending('t1')),
      store.commit('nobody', appending('t1')),
      store.commit('a', { ...appending('t2'), guards: { seq: 0 } }),
      store.commit('a', appending('t1')),
      store.create(newSession('b')),
      store.commit('b', appending('t1')),
    ]);
    const refused = results.map((it) => it.refused);
    expect(refused).toEqual([undefined, 'unknown', 'expected', 'repeat', 'exists', undefined]);
    expect(commitsInLog(path) - before).toBe(1);
    expect(storedTurns(path).map((turn) => `${turn.sessionId} ${turn.turnId}`)).toEqual([
      'a t1',
      'b t1',
    ]);
    expect(await faultsIn(path)).toEqual([]);
  });

  it.each(['first', 'in the middle', 'last'])('one that fails fails alone: %s', async (place) => {
    const { path, store } = await openWith(ids);
    await damageVariables(store, path, 's3');
    const good = ids.filter((id) => id !== 's3');
    const order = place === 'first' ? ['s3', ...good] : place === 'last' ? [...good, 's3'] : ids;
    const results = await Promise.allSettled(
      order.map((id) => store.commit(id, { ...appending('t'), patch: patchOf('k', '2') })),
    );
    for (const [i, id] of order.entries()) {
      const result = results[i];
      if (id !== 's3') expect(result).toMatchObject({ value: { turns: [{ seq: 1 }] } });
      else expect(result).toMatchObject({ reason: expect.any(SessionCorruptDataError) });
    }
    // Each once, in spite of the transaction that was undone.
    expect(storedTurns(path).map((turn) => turn.sessionId)).toEqual(good.toSorted());
  });

  it('all that fail do so for their own reason', async () => {
    const { path, store } = await openWith(ids);
    for (const id of ['s2', 's5', 's6']) await damageVariables(store, path, id);
    const results = await Promise.allSettled(
      ids.map((id) => store.commit(id, { ...appending('t'), patch: patchOf('k', '2') })),
    );
    const failed = ids.filter((_, i) => results[i]?.status === 'rejected');
    expect(failed).toEqual(['s2', 's5', 's6']);
    for (const id of failed) {
      const { reason } = results[ids.indexOf(id)] as PromiseRejectedResult;
      expect((reason as SessionCorruptDataError).place).toContain(`${id}.1`);
    }
    expect(storedTurns(path)).toHaveLength(ids.length - 3);
  });
});

describe('close', () => {
  it('waits for what is queued', async () => {
    const { path, store } = await openWith(ids);
    const turnIds = Array.from({ length: 50 }, (_, i) => `t${i + 1}`);
    const commits = ids.flatMap((id) =>
      turnIds.map((turnId) => store.commit(id, appending(turnId))),
    );
    const closed = store.close();
    await Promise.all(commits);
    await closed;
    expect(storedTurns(path)).toHaveLength(commits.length);
    expect(await faultsIn(path)).toEqual([]);
  });

  it('waits when it is called again, too', async () => {
    const { path, store } = await openWith(['s1']);
    let added = false;
    const commit = store.commit('s1', appending('t')).then(() => {
      added = true;
    });
    void store.close();
    await store.close();
    expect(added).toBe(true);
    await commit;
    await store.close();
    expect(storedTurns(path)).toHaveLength(1);
  });

  it('lets no call through any more', async () => {
    const { path, store } = await openWith(['s1']);
    await store.commit('s1', appending('t'));
    await store.close();
    const at = { timelineId: 's1.1', position: 0, revision: 1 };
    const page = { limit: 10 };
    const calls: { readonly [K in Exclude<keyof SessionStore, 'close'>]: () => Promise<unknown> } =
      {
        create: () => store.create(newSession('s2')),
        commit: () => store.commit('s1', appending('u')),
        erase: () => store.erase('s1', page),
        collect: () => store.collect({ before: 0, limit: 1 }),
        session: () => store.session('s1'),
        timelines: () => store.timelines(['s1.1']),
        startingAt: () => store.startingAt('s1', { timelineId: 's1.1', seq: 1 }, { limit: 1 }),
        turns: () =>
          store.turns([{ timelineId: 's1.1', from: 1, to: 1 }], { limit: 1, order: 'asc' }),
        findTurns: () => store.findTurns('t', ['s1']),
        variables: () => store.variables(at),
        record: () => store.record('s1', 'metadata', ''),
        records: () => store.records('s1', 'checkpoint', page),
        list: () => store.list(page),
        due: () => store.due(page),
        feed: () => store.feed('s1', { after: 0, limit: 10 }),
        report: () => store.report({ groupBy: 'day', limit: 10 }),
        changes: () => store.changes({ after: null, limit: 10 }),
        watch: async () => store.watch(() => undefined),
      };
    for (const [name, call] of Object.entries(calls)) {
      const expected = { name: 'SessionStoreUnavailableError', reason: 'closed' };
      await expect(call(), name).rejects.toMatchObject(expected);
    }
    expect(storedTurns(path)).toHaveLength(1);
  });
});

function patchOf(key: string, json: string) {
  return { set: new Map([[key, json]]), unset: [], maxBytes: 1_000, maxKeys: 10 };
}

/** Gives a session variables without a whole copy: a fault of the data, not of the engine. */
async function damageVariables(store: SessionStore, path: string, sessionId: string) {
  await store.commit(sessionId, { patch: patchOf('k', '1'), event: { type: 'variables' } });
  const other = new DatabaseSync(path);
  other
    .prepare(
      'UPDATE ai_variables SET whole = 0 WHERE session = (SELECT key FROM ai_sessions WHERE session_id = ?)',
    )
    .run(sessionId);
  other.close();
}
