import { EventEmitter } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionInputError, SessionNotFoundError } from '../../src/errors.ts';
import { seeded } from '../scale.ts';

const tasks = 1_000;
const open = () => createSessions({ maxSessionsPerUser: 10_000 });

/** Lets others go on: by a timer, an immediate or a tick, as the seed decides. */
async function elsewhere(random: () => number): Promise<void> {
  const kind = random();
  if (kind < 0.3) await setTimeout(random() * 4);
  else if (kind < 0.6) await setImmediate();
  else await Promise.resolve();
}

describe('the session context', () => {
  it('leaks nothing between interleaved tasks', async () => {
    const { context, manager } = await open();
    const random = seeded(1);
    const states = await Promise.all(
      Array.from({ length: tasks }, (_, i) => manager.create({ userId: `u${i % 7}` })),
    );
    const seen = await Promise.all(
      states.map((state) =>
        context.run(state, async () => {
          const ids = new Set([context.sessionId]);
          for (let n = 0; n < 6; n++) {
            await elsewhere(random);
            ids.add(context.state.sessionId);
            if (n !== 3) continue;
            const other = states[Math.floor(random() * tasks)] ?? state;
            await context.run(other, async () => {
              await elsewhere(random);
              expect(context.sessionId).toBe(other.sessionId);
            });
          }
          return [...ids];
        }),
      ),
    );
    expect(seen).toEqual(states.map(({ sessionId }) => [sessionId]));
    expect(context.sessionId).toBeNull();
  });

  it('leaks nothing between tasks that bind', async () => {
    const { context, manager } = await open();
    const random = seeded(2);
    const states = await Promise.all(
      Array.from({ length: tasks }, (_, i) => manager.create({ userId: `u${i % 7}` })),
    );
    const ends = await Promise.all(
      states.map((state) =>
        // A scope of its own, as each request has: code outside of it is not touched.
        context.run(null, async () => {
          await elsewhere(random);
          const token = context.bind(state);
          await elsewhere(random);
          expect(context.sessionId).toBe(state.sessionId);
          await elsewhere(random);
          expect(context.state).toBe(state);
          context.unbind(token);
          await elsewhere(random);
          return context.sessionId;
        }),
      ),
    );
    expect(new Set(ends)).toEqual(new Set([null]));
    expect(context.sessionId).toBeNull();
  });

  it('makes one session for each scope, however often it is asked for', async () => {
    const { context, manager } = await open();
    const ids = await Promise.all(
      Array.from({ length: tasks }, (_, i) =>
        context.run(null, async () => {
          const [one, two] = await Promise.all([
            context.getOrCreate(`u${i}`),
            context.getOrCreate(`u${i}`),
          ]);
          const three = await context.getOrCreate(`u${i}`);
          expect(new Set([one, two, three].map(({ userId }) => userId))).toEqual(
            new Set([`u${i}`]),
          );
          expect(new Set([one, two, three].map(({ sessionId }) => sessionId)).size).toBe(1);
          return context.sessionId;
        }),
      ),
    );
    expect(new Set(ids).size).toBe(tasks);
    expect((await manager.list({ limit: 1_000 })).items.length).toBe(tasks);
  });

  it('answers with the session as it is now', async () => {
    const { context, manager } = await open();
    const bound = await manager.create({ userId: 'u' });
    await context.run(bound.sessionId, async () => {
      await manager.addTurn(bound.sessionId, { role: 'user', content: 'hello' });
      expect((await context.getOrCreate('u')).turnCount).toBe(1);
      expect(context.state.turnCount).toBe(0);
      await expect(context.getOrCreate('v')).rejects.toThrow(SessionInputError);
    });
  });

  it('binds nothing outside of a scope', async () => {
    const { context } = await open();
    const one = await context.getOrCreate('u');
    const two = await context.getOrCreate('u');
    expect(one.sessionId).not.toBe(two.sessionId);
    expect(context.sessionId).toBeNull();
    expect(() => context.state).toThrow(SessionInputError);
  });

  it('tries again if making the session failed', async () => {
    const { context, manager } = await createSessions({ maxSessionsPerUser: 1 });
    const first = await manager.create({ userId: 'u' });
    await context.run(null, async () => {
      await expect(context.getOrCreate('u')).rejects.toThrow('already has 1 active sessions');
      await manager.close(first.sessionId);
      expect((await context.getOrCreate('u')).sessionId).toBe(context.sessionId);
    });
  });

  it('takes back bindings in order, and each of them once', async () => {
    const { context, manager } = await open();
    const [a, b] = await Promise.all(['a', 'b'].map((userId) => manager.create({ userId })));
    context.run(null, () => {
      const first = context.bind(a as never);
      const second = context.bind(b as never);
      expect(() => context.unbind(first)).toThrow(SessionInputError);
      context.unbind(second);
      expect(context.sessionId).toBe(a?.sessionId);
      expect(() => context.unbind(second)).toThrow(SessionInputError);
      context.unbind(first);
      expect(context.sessionId).toBeNull();
      for (const token of [{ sessionId: 'x' }, null, undefined]) {
        expect(() => context.unbind(token as never)).toThrow(SessionInputError);
      }
    });
  });

  it('goes along to listeners that are called within the scope', async () => {
    const { context, manager } = await open();
    const state = await manager.create({ userId: 'u' });
    const emitter = new EventEmitter();
    const heard: (string | null)[] = [];
    emitter.on('x', () => heard.push(context.sessionId));
    context.run(state, () => emitter.emit('x'));
    emitter.emit('x');
    expect(heard).toEqual([state.sessionId, null]);
  });

  it('holds what was bound, whatever is done to it afterwards', async () => {
    const sessions = await open();
    const given = { ...(await sessions.manager.create({ userId: 'ada' })) };
    const { userId } = given;
    sessions.context.run(given, () => {
      (given as { userId: string }).userId = 'bob';
      expect(sessions.context.state.userId).toBe(userId);
      expect(sessions.as({ userId: 'bob' }).context.sessionId).toBeNull();
    });
  });

  it("shows an owner nobody else's session", async () => {
    const sessions = await open();
    const ada = sessions.as({ userId: 'ada' });
    const bob = sessions.as({ userId: 'bob' });
    const state = await ada.manager.create();
    await sessions.context.run(state.sessionId, async () => {
      expect(ada.context.state.sessionId).toBe(state.sessionId);
      expect(bob.context.sessionId).toBeNull();
      expect(() => bob.context.state).toThrow(SessionInputError);
      await expect(bob.context.getOrCreate()).rejects.toThrow(SessionInputError);
      expect((await ada.context.getOrCreate()).sessionId).toBe(state.sessionId);
    });
    await expect(bob.context.run(state.sessionId, () => 1)).rejects.toThrow(SessionNotFoundError);
    expect(() => bob.context.run(state, () => 1)).toThrow(SessionNotFoundError);
    expect(() => bob.context.bind(state)).toThrow(SessionNotFoundError);
    const withUser = ada.context as unknown as typeof sessions.context;
    await expect(withUser.getOrCreate('ada')).rejects.toThrow(SessionInputError);
    await ada.context.run(null, async () => {
      expect((await ada.context.getOrCreate()).userId).toBe('ada');
    });
  });

  it('refuses what is no session and no function', async () => {
    const { context, manager } = await open();
    const state = await manager.create({ userId: 'u' });
    const throwing = Object.defineProperty({ ...state }, 'userId', {
      enumerable: true,
      get: () => {
        throw new Error('hostile');
      },
    });
    const wrong = [undefined, {}, 7, [state], { sessionId: 'x' }, throwing];
    for (const session of [...wrong, { ...state, sessionId: '../x' }, { ...state, tenantId: 7 }]) {
      expect(() => context.run(session as never, () => 1)).toThrow(SessionInputError);
      expect(() => context.bind(session as never)).toThrow(SessionInputError);
    }
    await expect(context.run('../x', () => 1)).rejects.toThrow(SessionInputError);
    await expect(context.run('unknown', () => 1)).rejects.toThrow(SessionNotFoundError);
    expect(() => context.run(state, 'x' as never)).toThrow(SessionInputError);
    for (const userId of ['', 7, undefined, 'a\0']) {
      await expect(context.getOrCreate(userId as never)).rejects.toThrow(SessionInputError);
    }
  });
});
