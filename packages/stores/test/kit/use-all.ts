import type { ContentPart, JsonObject, Sessions, TurnInput } from '@lexigram/ai-session';
import { expect } from 'vitest';

/** Everything that can be asked for, with `word` in each field that a caller fills. */
export async function useAll(
  { branches, checkpoints, manager, ...rest }: Sessions,
  word: string,
): Promise<void> {
  const json: JsonObject = { [word]: word, list: [word, { [word]: [word] }] };
  const parts: readonly ContentPart[] = [
    { type: 'text', text: word, extra: json },
    { type: 'reasoning', text: word, signature: word },
    { type: 'file', mediaType: 'text/plain', url: word },
    { type: 'data', name: word, json },
  ];
  const turn = (turnId: string): TurnInput => ({
    turnId: `${word}-${turnId}`,
    role: 'assistant',
    content: parts,
    agent: word,
    name: word,
    toolCalls: [{ id: word, name: word, arguments: json }],
    toolCallId: word,
    model: word,
    provider: word,
    visibleTo: [word],
    hiddenFrom: [`not ${word}`],
    metadata: json,
    usage: { inputTokens: 3 },
    cost: 0.5,
  });
  const id = `${word}-session`;
  const operation = (n: number) => ({ operationId: `${word}-${n}` });
  const owner = { userId: word, tenantId: word };
  await manager.create({
    ...owner,
    sessionId: id,
    metadata: { [word]: word },
    variables: { [word]: json },
    systemPrompt: word,
    ...operation(1),
  });
  await manager.create({ userId: word, ...operation(1) });
  const { head } = await manager.addTurn(id, turn('t1'), {
    variables: { [`${word}2`]: json },
    unset: [word],
    ...operation(2),
  });
  await manager.addTurns(id, [turn('t2'), turn('t3')], { expectedHead: head, ...operation(3) });
  await manager.addTurns(id, [turn('t2'), turn('t3')]);
  await failing(manager.addTurn(id, { ...turn('t1'), content: 'other' }));
  await failing(manager.addTurn(id, turn('t9'), { expectedSeq: 1 }));
  await failing(manager.getState(`${word}-nobody`));
  const made = await checkpoints.create(id, { label: word, metadata: json, ...operation(4) });
  await failing(
    manager.addTurn(id, turn('t4')).then(() => checkpoints.create(id, { label: word })),
  );
  for (const place of [
    {},
    { atTurn: `${word}-t1` },
    { atSeq: 0 },
    { fromCheckpoint: made.checkpointId },
  ]) {
    const branch = await branches.fork(id, word, place);
    await manager.addTurn(branch.sessionId, turn('b1'));
  }
  await manager.rewind(id, { toTurn: `${word}-t2` }, operation(5));
  await manager.undo(id);
  await manager.redo(id);
  await manager.edit(id, `${word}-t1`, word);
  await manager.regenerate(id, `${word}-t1`);
  await manager.restore(made.checkpointId);
  await manager.setVariables(id, { [word]: word }, { unset: [`${word}2`] });
  await manager.setMetadata(id, { [`${word}2`]: word }, { unset: [word] });
  for await (const each of manager.turns(id, { order: 'desc' })) expect(each.turnId).toBeDefined();
  await manager.getState(id, { turns: 2 });
  const filters: JsonObject[] = [
    {},
    { [word]: word },
    { [`${word}2`]: word, n: 1, b: true, z: null },
  ];
  for (const metadata of filters) {
    for (const status of [undefined, 'active', 'closed'] as const) {
      for (const who of [{}, { userId: word }, owner]) {
        const page = await manager.list({ ...who, status, metadata: metadata as never, limit: 1 });
        const cursor = page.nextCursor;
        if (cursor !== null)
          await manager.list({ ...who, status, metadata: metadata as never, cursor });
      }
    }
  }
  await checkpoints.list(id, { limit: 1 });
  await checkpoints.diff(made.checkpointId, made.checkpointId);
  await branches.list(id, { limit: 1 });
  await rest.analytics.session(id);
  await rest.as(owner).manager.getState(id);
  await failing(rest.as({ userId: `not ${word}` }).manager.getState(id));
  await manager.suspend(id);
  await manager.resume(id);
  await checkpoints.delete(made.checkpointId);
  const { store } = rest;
  await store.feed(id, { after: 0, limit: 10 });
  for (const who of [{}, { userId: word }, owner]) {
    const { next } = await store.changes({ ...who, after: null, limit: 10 });
    await failing(rest.events.subscribe({ sessionId: word }).next());
    const cursor = `p~${next}~${next}~${word}`;
    const subscription = rest.events.subscribe({ ...who, after: cursor });
    await manager.setVariables(id, { [word]: who.userId ?? word });
    expect((await subscription.next()).value?.cursor).toBeDefined();
    await subscription.return();
  }
  await store.due({ limit: 10 });
  await store.records(id, 'checkpoint', { limit: 2, order: 'desc', after: word });
  await store.records(id, word, { limit: 2, after: word });
  await store.findTurns(`${word}-t1`, [id, word]);
  await manager.close(id, { reason: word });
  await manager.delete(id, { withBranches: true });
  await store.collect({ before: Number.MAX_SAFE_INTEGER, limit: 10 });
}

async function failing(work: Promise<unknown>): Promise<void> {
  const failed = await work.then(
    () => false,
    () => true,
  );
  expect(failed).toBe(true);
}
