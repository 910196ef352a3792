import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import type { SessionTurn } from '../../src/session/turn.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import type { SessionStore } from '../../src/store/port.ts';

/** Sessions without caps, over a store of one's own. */
export function open(store: SessionStore = new InMemorySessionStore()): Promise<Sessions> {
  const config = {
    maxTurnsPerSession: 1_000_000,
    maxSessionsPerUser: 10_000,
    autoCheckpointInterval: null,
  };
  return createSessions(config, { store });
}

/** Adds the turns of a log, by the hundred. */
export async function addAll(
  { manager }: Sessions,
  sessionId: string,
  log: readonly SessionTurn[],
): Promise<void> {
  for (let at = 0; at < log.length; at += 100) {
    const turns = log.slice(at, at + 100).map(({ seq: _, ...turn }) => turn);
    await manager.addTurns(sessionId, turns);
  }
}

export async function allTurns(
  { manager }: Sessions,
  sessionId: string,
): Promise<readonly SessionTurn[]> {
  return (await manager.getState(sessionId, { turns: 'all' })).turns;
}

/** A store that counts the turns that are read from it. */
export function countReads(store: SessionStore): {
  readonly store: SessionStore;
  readonly reads: { turns: number };
} {
  const reads = { turns: 0 };
  const counting = new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]) => {
        const answer: unknown = await Reflect.apply(member, target, given);
        if (name === 'turns') reads.turns += (answer as readonly unknown[]).length;
        return answer;
      };
    },
  });
  return { store: counting, reads };
}
