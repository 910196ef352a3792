import type { Sessions } from '../../src/create-sessions.ts';

/** A text that must not leave in a log, a span or a measurement. */
export const canary = 'zqc4n4ry';

/** Calls of every kind, with the canary in all that a user can say, and in what goes wrong. */
export async function live(sessions: Sessions): Promise<string> {
  const { analytics, branches, checkpoints, manager } = sessions;
  const owner = { userId: `user ${canary}`, tenantId: `tenant ${canary}` };
  const { sessionId } = await manager.create({
    ...owner,
    metadata: { topic: canary, [canary]: 1 },
    variables: { [canary]: canary },
    systemPrompt: `Say ${canary}.`,
  });
  const mine = sessions.as(owner);
  await mine.manager.addTurn(sessionId, { turnId: `t ${canary}`, role: 'user', content: canary });
  await manager.addTurns(sessionId, [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: canary },
        { type: 'reasoning', text: canary },
        { type: 'file', mediaType: 'image/png', data: canary },
        { type: 'data', name: canary, json: { [canary]: canary } },
      ],
      toolCalls: [{ id: 'c1', name: 'find', arguments: { q: canary } }],
      model: 'model-a',
      provider: 'provider-a',
      agent: 'planner',
      usage: { inputTokens: 100, outputTokens: 10 },
      cost: 0.25,
      metadata: { a: canary },
    },
    { role: 'tool', toolCallId: 'c1', name: canary, content: canary, isError: true },
  ]);
  const options = { operationId: canary, variables: { a: canary } };
  for (let n = 0; n < 2; n++) {
    await manager.addTurn(sessionId, { turnId: 'again', role: 'user', content: canary }, options);
  }
  await manager.setVariables(sessionId, { b: canary });
  await manager.setMetadata(sessionId, { b: canary });
  const { checkpointId } = await checkpoints.create(sessionId, {
    label: canary,
    metadata: { a: canary },
  });
  await checkpoints.restore(checkpointId);
  await manager.edit(sessionId, 'again', `${canary} again`);
  await manager.undo(sessionId);
  const branch = await branches.fork(sessionId, canary);
  await manager.getState(sessionId, { turns: 'all' });
  await manager.list({ userId: owner.userId, metadata: { topic: canary } });
  await analytics.session(sessionId);
  const refused = [
    manager.addTurn(sessionId, { turnId: 'again', role: 'user', content: `other ${canary}` }),
    manager.addTurn(sessionId, { role: canary as never, content: canary }),
    manager.addTurn(sessionId, { role: 'user', content: canary }, { expectedSeq: 99 }),
    sessions.as({ userId: canary }).manager.getState(sessionId),
    manager.getState(canary),
  ];
  for (const call of refused)
    await call.then(
      () => Promise.reject(new Error('not refused')),
      () => {},
    );
  await manager.suspend(sessionId);
  await manager.resume(sessionId);
  await manager.close(sessionId, { reason: canary });
  await manager.delete(branch.sessionId);
  return sessionId;
}
