import { createSessions, type SessionStore, type Sessions } from '@lexigram/ai-session';
import type { OpenedStore } from '../law.ts';
import type { UntypedSessions } from './untyped.ts';

/** Stands in every content of a turn; no error may ever show it. */
export const canary = 'zqc4n4ry';

/** Sessions that are there before each row, and must be there unchanged after it. */
export interface Fixture {
  /** Active; four turns, variables, metadata, two checkpoints, two branches, moves to undo and to redo. */
  readonly sessionId: string;
  readonly suspendedId: string;
  readonly closedId: string;
  /** Another user's, with checkpoints of its own. */
  readonly foreignId: string;
  readonly foreignCheckpointId: string;
  /** A turn of the history, of which the model is the author. */
  readonly turnId: string;
  readonly checkpointId: string;
  /** A label that stands at another point than the head. */
  readonly label: string;
  /** `nextCursor`s of the three lists, and of another session's checkpoints. */
  readonly cursors: {
    readonly sessions: string;
    readonly checkpoints: string;
    readonly branches: string;
    readonly foreignCheckpoints: string;
  };
}

/** Services over a store that is to be tested, and the fixture in it. */
export interface Opened {
  readonly store: SessionStore;
  readonly sessions: UntypedSessions;
  readonly fixture: Fixture;
}

/** Over the services of `createSessions`, if no others are on trial. */
export async function openFixture(
  store: SessionStore,
  services: OpenedStore['services'] = (config, over) => createSessions(config, { store: over }),
): Promise<Opened> {
  const sessions = await services({ sessionTtl: 0 }, store);
  const sessionId = await makeMain(sessions);
  const suspended = await makeSmall(sessions, 'suspended');
  await sessions.manager.suspend(suspended);
  const closed = await makeSmall(sessions, 'closed');
  await sessions.manager.close(closed);
  const foreign = (await sessions.manager.create({ userId: 'somebody else' })).sessionId;
  const foreignCheckpoint = await sessions.checkpoints.create(foreign, { label: 'theirs' });
  await sessions.checkpoints.create(foreign, { label: 'theirs too' }).catch(() => undefined);
  await sessions.manager.addTurn(foreign, { role: 'user', content: canary });
  await sessions.checkpoints.create(foreign, { label: 'later' });

  const state = await sessions.manager.getState(sessionId, { turns: 'all' });
  const cursor = async (page: Promise<{ readonly nextCursor: string | null }>): Promise<string> =>
    (await page).nextCursor ?? '';
  const fixture: Fixture = {
    sessionId,
    suspendedId: suspended,
    closedId: closed,
    foreignId: foreign,
    foreignCheckpointId: foreignCheckpoint.checkpointId,
    turnId: state.turns[1]?.turnId ?? '',
    checkpointId: (await sessions.checkpoints.list(sessionId)).items[0]?.checkpointId ?? '',
    label: 'first',
    cursors: {
      sessions: await cursor(sessions.manager.list({ limit: 1 })),
      checkpoints: await cursor(sessions.checkpoints.list(sessionId, { limit: 1 })),
      branches: await cursor(sessions.branches.list(sessionId, { limit: 1 })),
      foreignCheckpoints: await cursor(sessions.checkpoints.list(foreign, { limit: 1 })),
    },
  };
  return { store, sessions: sessions as unknown as UntypedSessions, fixture };
}

async function makeMain(sessions: Sessions): Promise<string> {
  const { branches, checkpoints, manager } = sessions;
  const { sessionId } = await manager.create({
    userId: 'user-42',
    sessionId: 'CaseSensitive-1',
    metadata: { topic: 'bad input' },
    variables: { count: 1 },
  });
  await manager.addTurns(sessionId, [
    { role: 'user', content: canary },
    { role: 'assistant', content: canary, turnId: 'answer' },
  ]);
  await checkpoints.create(sessionId, { label: 'first' });
  await manager.addTurn(sessionId, { role: 'user', content: canary });
  await checkpoints.create(sessionId, { label: 'second' });
  await branches.fork(sessionId, 'one');
  await branches.fork(sessionId, 'two', { atSeq: 1 });
  // Two moves and one undo: one more can be taken back, one brought back.
  await manager.rewind(sessionId, { toSeq: 2 });
  await manager.addTurn(sessionId, { role: 'user', content: canary, turnId: 'kept' });
  await manager.addTurn(sessionId, { role: 'assistant', content: canary });
  await manager.rewind(sessionId, { toSeq: 3 });
  await manager.undo(sessionId);
  return sessionId;
}

async function makeSmall(sessions: Sessions, sessionId: string): Promise<string> {
  await sessions.manager.create({ userId: 'user-42', sessionId });
  await sessions.manager.addTurn(sessionId, { role: 'user', content: canary, turnId: 'only' });
  return sessionId;
}
