import {
  createSessions,
  project,
  RecencyContextPruner,
  SessionLeaseError,
  type SessionStore,
  type Summariser,
  type TurnInput,
} from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { randomOf } from './kit/random.ts';
import { describeEach, storesOfOneServer } from './kit/stores-on-trial.ts';

describeEach(storesOfOneServer, 'projections', ({ open }) => {
  const openSessions = async () => {
    const opened = await open({ clock: () => 1_700_000_000_000 });
    onTestFinished(() => opened.dispose());
    const config = { maxTurnsPerSession: 10_000, autoCheckpointInterval: null };
    const openOn = (store: SessionStore) => createSessions(config, { store });
    const another = await opened.reopen?.();
    if (another === undefined) throw new Error('The store cannot be opened twice.');
    onTestFinished(() => opened.store.close());
    return { ...(await openOn(opened.store)), another: await openOn(another) };
  };

  it('are those of the turns, after moves, in branches and with pins', async () => {
    const { branches, manager, projection, store } = await openSessions();
    const random = randomOf(42);
    const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
    let made = 0;
    const say = (): TurnInput => {
      made += 1;
      const role = made % 2 === 1 ? 'user' : 'assistant';
      return { turnId: `t${made}`, role, content: `number ${made} of topic ${made % 13}` };
    };
    const ids = [sessionId];
    for (let round = 0; round < 25; round++) {
      const id = ids[random.between(0, ids.length - 1)] as string;
      await manager.addTurns(id, Array.from({ length: random.between(1, 60) }, say));
      const { head } = await manager.getState(id);
      const seq = random.between(1, head.seq);
      if (round % 4 === 1) await manager.rewind(id, { toSeq: seq });
      if (round % 6 === 2) ids.push((await branches.fork(id, 'b', { atSeq: seq })).sessionId);
      const { turns } = await manager.getState(id, { turns: 'all' });
      const pin = turns[random.between(0, turns.length - 1)]?.turnId ?? '';
      if (round % 3 === 0) await projection.pin(id, pin);
      const pins = await store.records(id, 'pin', { limit: 100 });
      const pinned = pins.map(({ key }) => key);
      for (const pruner of [undefined, new RecencyContextPruner()]) {
        const options = { maxTokens: 300 + random.between(0, 900), query: 'topic 7', pruner };
        const { messages } = project(turns, { ...options, pinned });
        expect((await projection.project(id, options)).messages, `round ${round}`).toEqual(
          messages,
        );
      }
    }
  });

  it('see a summary where its turns are, whoever made it', async () => {
    const { another, branches, manager, projection } = await openSessions();
    const { sessionId } = await manager.create({ userId: 'u' });
    const talk = Array.from({ length: 40 }, (_, i): TurnInput => {
      return {
        turnId: `t${i + 1}`,
        role: i % 2 === 0 ? 'user' : 'assistant',
        content: `turn ${i + 1}`,
      };
    });
    await manager.addTurns(sessionId, talk);
    const told: string[] = [];
    const summarise: Summariser = ({ turns }) => {
      told.push(turns.map(({ turnId }) => turnId).join(' '));
      return `a summary of ${turns.length} turns`;
    };
    const both = await Promise.allSettled([
      projection.compact(sessionId, { summarise, upTo: 't20' }),
      another.projection.compact(sessionId, { summarise, upTo: 't20' }),
    ]);
    const made = both.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    const refused = both.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
    expect(made[0]).toMatchObject({ summary: 'a summary of 20 turns', toTurn: 't20' });
    for (const one of made) expect(one).toEqual(made[0]);
    for (const error of refused) expect(error).toBeInstanceOf(SessionLeaseError);
    expect(told).toEqual([
      talk
        .slice(0, 20)
        .map(({ turnId }) => turnId)
        .join(' '),
    ]);

    const shown = async (id: string): Promise<string> =>
      JSON.stringify((await another.projection.project(id)).messages);
    const before = await branches.fork(sessionId, 'before', { atSeq: 19 });
    const after = await branches.fork(sessionId, 'after', { atSeq: 25 });
    expect(await shown(sessionId)).toContain('a summary of 20 turns');
    expect(await shown(before.sessionId)).not.toContain('a summary');
    expect(await shown(after.sessionId)).toContain('a summary of 20 turns');
    await manager.rewind(sessionId, { toTurn: 't10' });
    expect(await shown(sessionId)).not.toContain('a summary');
    await manager.undo(sessionId);
    expect(await shown(sessionId)).toContain('a summary of 20 turns');
    expect((await manager.getState(sessionId)).turnCount).toBe(40);
  });
});
