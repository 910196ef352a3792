import { createSessions, type SessionManager, type SessionStore } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { openBroken } from './broken/open-broken.ts';
import type { Outcome, Round } from './children/same-head.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { contentsAt } from './kit/stored.ts';
import {
  describeEach,
  type StoreOnTrial,
  sqlite,
  storesOfTwins,
  storesOnTrial,
  versionedStores,
} from './kit/stores-on-trial.ts';
import { writeSpread } from './kit/write-spread.ts';
import { countOf } from './scale.ts';

const names = ['a', 'b', 'c', 'd'];

async function openHot(kind: StoreOnTrial) {
  const url = await kind.url(temporaryFolder());
  const store = await openUrl(url);
  onTestFinished(() => store.close());
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  const { head } = await manager.create({ userId: 'u', sessionId: 'hot' });
  return { url, store, manager, head };
}

describeEach(storesOnTrial, 'four processes', (kind) => {
  it('with eight writers each make no duplicate, no gap, no reorder, and each read is a prefix', async () => {
    const url = await kind.url(temporaryFolder());
    const store = await openUrl(url);
    onTestFinished(() => store.close());
    expect(await writeSpread(store, url, countOf('spreadTurns'))).toEqual([]);
  });

  it('with the same head have exactly one winner of sixteen, and nothing of the others is written', async () => {
    const { head: first, manager, store, url } = await openHot(kind);
    const script = new URL('./children/same-head.ts', import.meta.url);
    const children = names.map(() => startChild(script, [url, 'hot']));
    for (const child of children) expect(await child.next()).toEqual({ did: 'open' });

    const rounds = countOf('headRounds');
    const winners: string[] = [];
    const contents: string[] = [];
    let head: Round['head'] = first;
    for (let round = 1; round <= rounds; round++) {
      for (const [i, child] of children.entries()) {
        const writers = [0, 1, 2, 3].map((n) => `${names[i]}${n}`);
        child.say({ round, head, writers } satisfies Round);
      }
      const said = await Promise.all(
        children.map((child) => child.next<{ outcomes: readonly Outcome[] }>()),
      );
      const outcomes = said.flatMap((it) => it.outcomes);
      const won = outcomes.filter((it) => 'head' in it);
      expect(won, `winners of round ${round}`).toHaveLength(1);
      const winner = won[0] as Extract<Outcome, { head: Round['head'] }>;
      expect(winner.head).toEqual({ ...head, seq: round, turnId: winner.turnId });
      const lost = outcomes.filter((it) => 'error' in it);
      expect(lost).toHaveLength(15);
      for (const { error } of lost) {
        const expected = { name: 'SessionConflictError', reason: 'head', head: winner.head };
        expect(error).toMatchObject(expected);
      }
      head = winner.head;
      winners.push(winner.turnId);
      contents.push(winner.turnId.slice(winner.turnId.indexOf('-') + 1));
    }

    expect((await contentsAt(url)).toSorted()).toEqual(contents.toSorted());
    const { revision, turns, variables } = await manager.getState('hot', { turns: 'all' });
    expect(turns.map((turn) => turn.turnId)).toEqual(winners);
    expect(revision).toBe(1 + rounds);
    expect(Object.keys(variables).sort()).toEqual(winners.toSorted());
    const operations = await store.records('hot', 'operation', { limit: 1_000_000 });
    expect(operations.map((record) => record.key).sort()).toEqual(winners.toSorted());
    expect(await faultsIn(url)).toEqual([]);
  });
});

describeEach([sqlite], 'four processes', (kind) => {
  it('append to one session: no gap, no duplicate, each in its own order', async () => {
    const { manager, url } = await openHot(kind);
    const count = countOf('turnsPerWriter');
    const script = new URL('./children/append.ts', import.meta.url);
    const children = names.map((name) => startChild(script, [url, 'hot', name, String(count)]));
    for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
    for (const child of children) child.say({ go: true });
    const answered = await Promise.all(children.map((child) => child.next<{ seqs: number[] }>()));
    await Promise.all(children.map((child) => child.ended));

    const { turns } = await manager.getState('hot', { turns: 'all' });
    expect(turns.map((turn) => turn.seq)).toEqual(
      Array.from({ length: names.length * count }, (_, i) => i + 1),
    );
    for (const [i, name] of names.entries()) {
      const own = turns.filter((turn) => turn.turnId.startsWith(name));
      const order = Array.from({ length: count }, (_, n) => `${name} ${n + 1}`);
      expect(own.map((turn) => turn.content)).toEqual(order);
      expect(answered[i]).toEqual({ seqs: own.map((turn) => turn.seq) });
    }
    expect(await faultsIn(url)).toEqual([]);
  });
});

/** Two stores with five writers each add turns to one session; what came of it that should not. */
async function writeByTwo(
  url: string,
  open: (url: string) => Promise<SessionStore>,
): Promise<readonly string[]> {
  const managers: SessionManager[] = [];
  for (let n = 0; n < 2; n++) {
    const store = await open(url);
    onTestFinished(() => store.close());
    managers.push((await createSessions({}, { store })).manager);
  }
  await managers[0]?.create({ userId: 'u', sessionId: 'hot' });
  const results = await Promise.allSettled(
    managers.flatMap((manager) =>
      Array.from({ length: 5 }, async () => {
        for (let n = 0; n < 10; n++) await manager.addTurn('hot', { role: 'user', content: 'x' });
      }),
    ),
  );
  const failed = results.filter((it) => it.status === 'rejected').map((it) => String(it.reason));
  return [...failed, ...(await faultsIn(url))];
}

describeEach(versionedStores, 'two stores on one session', (kind) => {
  it('write all of it as it should be', async () => {
    expect(await writeByTwo(await kind.url(''), openUrl)).toEqual([]);
  });
});

describeEach(storesOfTwins(versionedStores), 'two stores on one session', (kind) => {
  it('are found out without a look at the version', async () => {
    const faults = await writeByTwo(await kind.url(''), (url) =>
      openBroken(url, 'without-version'),
    );
    expect(faults).not.toEqual([]);
  });
});
