import type { Sessions } from '@lexigram/ai-session';

/** One call of the story. All its ids are given, so that it can be made again. */
export type Step = (sessions: Sessions, told: Told) => Promise<unknown>;

/** What earlier steps were told and later ones need. */
export interface Told {
  branch?: string;
  checkpoint?: string;
}

const turn = (turnId: string, tokens = 1) =>
  ({
    turnId,
    role: 'user',
    content: `this is ${turnId}`,
    usage: { inputTokens: tokens },
    cost: 0.001,
  }) as const;

/** A session's whole life, one call a step. */
export const story: readonly Step[] = [
  ({ manager }) =>
    manager.create({
      userId: 'u',
      sessionId: 'main',
      metadata: { topic: 'story' },
      variables: { step: 1 },
      systemPrompt: 'be brief',
      operationId: 'create',
    }),
  ({ manager }) => manager.create({ userId: 'u', sessionId: 'other', operationId: 'create' }),
  ({ manager }) => manager.addTurn('other', turn('o1')),
  ({ manager }) =>
    manager.addTurns(
      'main',
      ['a1', 'a2', 'a3', 'a4', 'a5'].map((id, i) => turn(id, i)),
      {
        variables: { step: 2, batch: true },
      },
    ),
  ({ manager }) =>
    manager.addTurn('main', turn('b1'), { variables: { step: 3 }, unset: ['batch'] }),
  async ({ checkpoints }, told) => {
    const made = await checkpoints.create('main', { label: 'here', operationId: 'checkpoint' });
    told.checkpoint = made.checkpointId;
  },
  ({ manager }) => manager.addTurn('main', turn('b2'), { operationId: 'b2' }),
  async ({ branches }, told) => {
    const made = await branches.fork('main', 'branch', { atSeq: 4, operationId: 'fork' });
    told.branch = made.sessionId;
  },
  ({ manager }, told) => manager.addTurn(told.branch ?? '', turn('f1')),
  ({ branches }, told) => branches.fork(told.branch ?? '', 'twig', { operationId: 'twig' }),
  ({ manager }) => manager.rewind('main', { toSeq: 3 }, { operationId: 'rewind' }),
  ({ manager }) => manager.addTurn('main', turn('c1')),
  ({ manager }) => manager.undo('main', { operationId: 'undo' }),
  ({ manager }) => manager.redo('main', { operationId: 'redo' }),
  ({ manager }, told) => manager.restore(told.checkpoint ?? '', { operationId: 'restore' }),
  ({ manager }) => manager.edit('main', 'a3', 'said otherwise', { operationId: 'edit' }),
  ({ manager }) => manager.setVariables('main', { more: [1, 2] }, { operationId: 'variables' }),
  ({ manager }) => manager.setMetadata('main', { note: 'x' }, { operationId: 'metadata' }),
  ({ manager }) => manager.suspend('main', { operationId: 'suspend' }),
  ({ manager }) => manager.resume('main', { operationId: 'resume' }),
  ({ checkpoints }, told) => checkpoints.delete(told.checkpoint ?? '', { operationId: 'drop' }),
  ({ manager }) => manager.close('main', { reason: 'done', operationId: 'close' }),
  // The branch goes on reading its turns.
  ({ manager }) => manager.delete('main', { operationId: 'delete' }),
  ({ manager }, told) => manager.addTurn(told.branch ?? '', turn('f2')),
  // With it goes the last who reads them, but for the twig.
  ({ manager }, told) => manager.delete(told.branch ?? '', { operationId: 'delete' }),
  ({ manager }) => manager.addTurn('other', turn('o2')),
];

/** What callers see of everything, but for the ids of turns that `edit` generates. */
export async function visible({ branches, checkpoints, manager }: Sessions): Promise<unknown> {
  const seen: unknown[] = [];
  const { items } = await manager.list({ limit: 1_000 });
  for (const { sessionId } of items.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))) {
    const { turns, ...state } = await manager.getState(sessionId, { turns: 'all' });
    const forks = await branches.list(sessionId);
    seen.push({
      state: { ...state, head: { ...state.head, turnId: null } },
      turns: turns.map(({ turnId, ...rest }) => ({ ...rest, turnId: turnId.slice(0, 2) })),
      checkpoints: (await checkpoints.list(sessionId)).items,
      branches: forks.items.map((branch) => branch.sessionId),
    });
  }
  return JSON.parse(JSON.stringify(seen).replaceAll(/"turnId":"0[0-9A-Za-z]+"/g, '"turnId":"…"'));
}

/** The configuration under which the story is told. */
export const storyConfig = { autoCheckpointInterval: 3 } as const;
/** Its clock stands still, so that the times are the same each time. */
export const storyClock = (): number => 1_800_000_000_000;
