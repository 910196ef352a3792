import { describe, expect, it } from 'vitest';
import { createSessions } from '../src/create-sessions.ts';
import { SessionClosedError, SessionNotFoundError } from '../src/errors.ts';
import { InMemorySessionStore } from '../src/store/memory.ts';
import type { Commit } from '../src/store/port.ts';

const say = (content: string) => ({ role: 'user' as const, content });

describe('a session that ends while somebody uses it', () => {
  it.each(['asc', 'desc'] as const)('is not found by who reads on, %s', async (order) => {
    const { manager } = await createSessions();
    const { sessionId } = await manager.create({ userId: 'u' });
    for (let batch = 0; batch < 2; batch++) {
      await manager.addTurns(
        sessionId,
        Array.from({ length: 100 }, (_, i) => say(`${i}`)),
      );
    }
    const turns = manager.turns(sessionId, { order });
    await turns.next();
    await manager.delete(sessionId);
    const readOn = async (): Promise<void> => {
      for await (const turn of turns) expect(turn.role).toBe('user');
    };
    await expect(readOn()).rejects.toThrow(SessionNotFoundError);
  });

  it('is closed, not full, if a hand closed it, whatever reason it gave', async () => {
    const { manager } = await createSessions({ maxTurnsPerSession: 5 });
    const { sessionId } = await manager.create({ userId: 'u' });
    await manager.close(sessionId, { reason: 'turn_limit' });
    await expect(manager.addTurn(sessionId, say('late'))).rejects.toThrow(SessionClosedError);
  });

  it('is unknown to a second owner who asks for it while it is given to the first', async () => {
    const inner = new InMemorySessionStore();
    let onClosed = async (): Promise<void> => {};
    const store = new Proxy(inner, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key !== 'commit') return value.bind(target);
        return async (id: string, commit: Commit) => {
          const result = await target.commit(id, commit);
          if (commit.status?.to === 'closed') await onClosed();
          return result;
        };
      },
    });
    const { manager } = await createSessions({}, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    let second: unknown;
    onClosed = async () => {
      second = await manager.transfer(sessionId, { userId: 'b' }).catch((error) => error);
    };
    expect(await manager.transfer(sessionId, { userId: 'a' })).toMatchObject({ userId: 'a' });
    expect(second).toBeInstanceOf(SessionNotFoundError);
  });
});
