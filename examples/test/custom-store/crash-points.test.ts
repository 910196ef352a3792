import { createSessions, type Sessions } from '@lexigram/ai-session';
import { Keyv } from 'keyv';
import { expect, it } from 'vitest';
import { openKeyvStore } from '../../custom-store/keyv-store.ts';
import { type Fate, KeptKeys } from './kept-keys.ts';

type Step = (sessions: Sessions) => Promise<unknown>;

const say = (turnId: string) =>
  ({ turnId, role: 'user', content: `this is ${turnId}`, cost: 0.01 }) as const;

/** A session's life. Each step can be made again: its ids are given. */
const story: readonly Step[] = [
  ({ manager }) =>
    manager.create({ userId: 'u', sessionId: 's', metadata: { m: 1 }, operationId: 'create' }),
  ({ manager }) => manager.addTurn('s', say('a'), { variables: { v: 1 }, operationId: 'a' }),
  ({ manager }) => manager.addTurns('s', ['b', 'c', 'd', 'e'].map(say), { operationId: 'b' }),
  ({ checkpoints }) => checkpoints.create('s', { label: 'here', operationId: 'here' }),
  ({ branches }) => branches.fork('s', 'branch', { atSeq: 2, operationId: 'f' }),
  async (on) => on.manager.addTurn(await branchOf(on), say('f'), { operationId: 'f1' }),
  ({ manager }) => manager.rewind('s', { toSeq: 3 }, { operationId: 'rewind' }),
  ({ manager }) => manager.addTurn('s', say('g'), { unset: ['v'], operationId: 'g' }),
  async (on) => on.branches.merge('s', await branchOf(on), { operationId: 'merge' }),
  ({ manager }) => manager.undo('s', { operationId: 'undo' }),
  ({ manager }) => manager.setMetadata('s', { n: 2 }, { operationId: 'metadata' }),
  ({ manager }) => manager.close('s', { operationId: 'close' }),
  ({ manager }) => manager.delete('s', { operationId: 'delete' }),
  async (on) => on.manager.addTurn(await branchOf(on), say('h'), { operationId: 'h' }),
];

async function branchOf({ manager }: Sessions): Promise<string> {
  const { items } = await manager.list();
  return items.find(({ sessionId }) => sessionId !== 's')?.sessionId ?? '';
}

/** All that callers see, with another name for the branch's generated id. */
async function seen(on: Sessions): Promise<string> {
  const { items } = await on.manager.list();
  const sessions = items.map(async ({ sessionId }) => ({
    state: await on.manager.getState(sessionId, { turns: 'all' }),
    checkpoints: (await on.checkpoints.list(sessionId)).items,
    branches: (await on.branches.list(sessionId)).items,
  }));
  const usage = await on.analytics.report({ groupBy: 'user' });
  const all = JSON.stringify([await Promise.all(sessions), usage]);
  return all.replaceAll((await branchOf(on)) || '…', 'branch');
}

async function inProcess<T>(keys: KeptKeys, work: (sessions: Sessions) => Promise<T>): Promise<T> {
  const clock = () => 1_800_000_000_000;
  const store = await openKeyvStore(new Keyv({ store: keys }), { clock, cachedPages: 3 });
  const sessions = await createSessions({ autoCheckpointInterval: 2 }, { store });
  return work(sessions);
}

/** Tells the story step by step until the process dies. */
async function tell(sessions: Sessions, from: number): Promise<number> {
  for (let step = from; step < story.length; step++) {
    try {
      await story[step]?.(sessions);
    } catch (error) {
      expect(error).toMatchObject({ code: 'LEX_ERR_SES_016' });
      return step;
    }
  }
  return story.length;
}

/** What is there after each step, and how many keys the whole story writes. */
async function tellWhole(): Promise<{ after: readonly string[]; writes: number }> {
  const keys = new KeptKeys();
  const after = await inProcess(keys, async (sessions) => {
    const pictures: string[] = [await seen(sessions)];
    for (const step of story) {
      await step(sessions);
      pictures.push(await seen(sessions));
    }
    return pictures;
  });
  return { after, writes: keys.writes };
}

/** What is wrong when a process dies at any of its writes, and another one goes on. */
async function faults(fate: Fate, every = 1): Promise<readonly string[]> {
  const { after, writes } = await tellWhole();
  const found: string[] = [];
  for (let at = 0; at < writes; at += every) {
    const keys = new KeptKeys(new Map(), { ...fate, writes: at });
    const acknowledged = await inProcess(keys, (sessions) => tell(sessions, 0)).catch((error) => {
      // It died while it opened the store.
      expect(error).toMatchObject({ code: 'LEX_ERR_SES_016' });
      return 0;
    });
    try {
      await inProcess(new KeptKeys(keys.kept), async (sessions) => {
        const there = await seen(sessions);
        const step = [acknowledged, acknowledged + 1].find((n) => after[n] === there);
        if (step === undefined) found.push(`dead at write ${at}: ${there}`);
        await tell(sessions, acknowledged);
        const end = await seen(sessions);
        if (end !== after.at(-1)) found.push(`dead at write ${at}, then ${end}`);
      });
    } catch (error) {
      found.push(`dead at write ${at}: ${error}`);
    }
  }
  expect(writes).toBeGreaterThan(100);
  return found;
}

it('a crash at any write loses nothing that was answered, and leaves nothing half', async () => {
  expect(await faults({})).toEqual([]);
});

it('the same check finds an engine that answers before it keeps', async () => {
  expect(await faults({ writesBehind: true }, 5)).not.toEqual([]);
});
