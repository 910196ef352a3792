import { describe, expect, it } from 'vitest';
import { SessionCapacityError, SessionNotFoundError } from '../../src/errors.ts';
import { openBench } from './opened.ts';

const say = (content: string) => ({ role: 'user' as const, content });
const config = { sessionTtl: 0, maxBranchesPerSession: 1 };
/** How long a hold may stand before its branch does. */
const unconfirmed = 60_000;

describe('a hold', () => {
  it('is dropped if its branch never came', async () => {
    const bench = openBench();
    const died = async (): Promise<never> => {
      throw new Error('the process is gone');
    };
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const dying = await bench.open(config, { create: died });
    await expect(dying.sessions.branches.fork(sessionId, 'b')).rejects.toThrow('gone');
    await expect(sessions.branches.fork(sessionId, 'c')).rejects.toThrow(SessionCapacityError);
    bench.now += unconfirmed - 1;
    expect((await cleanup.sweep()).released).toBe(0);
    bench.now += 1;
    expect((await cleanup.sweep()).released).toBe(1);
    await sessions.branches.fork(sessionId, 'c');
  });

  it('is dropped from what is left of a deleted session, which is then erased', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const dying = await bench.open(config, {
      create: async () => {
        throw new Error('the process is gone');
      },
    });
    await expect(dying.sessions.branches.fork(sessionId, 'b')).rejects.toThrow('gone');
    await sessions.manager.delete(sessionId);
    expect((await bench.store.timelines([`${sessionId}.1`]))[0]).not.toBeNull();
    bench.now += unconfirmed;
    expect(await cleanup.sweep()).toMatchObject({ released: 1, erased: 1, failures: [] });
    expect(await bench.store.timelines([`${sessionId}.1`])).toEqual([null]);
  });

  it('stands for good once its branch does', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const branch = await sessions.branches.fork(sessionId, 'b');
    const twig = await sessions.branches.fork(branch.sessionId, 'c');
    bench.now += unconfirmed;
    expect((await cleanup.sweep()).confirmed).toBe(3);
    bench.now += 100 * unconfirmed;
    expect(await bench.store.due({ limit: 10 })).toEqual([]);
    await sessions.manager.delete(sessionId);
    await sessions.manager.delete(branch.sessionId);
    const read = await sessions.manager.getState(twig.sessionId, { turns: 'all' });
    expect(read.turns.map(({ content }) => content)).toEqual(['a']);
  });

  it('that a slow fork lost is written again', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const slow = await bench.open(config, {
      create: async (session) => {
        bench.now += unconfirmed;
        expect((await cleanup.sweep()).released).toBe(1);
        return bench.store.create(session);
      },
    });
    const branch = await slow.sessions.branches.fork(sessionId, 'b');
    await sessions.manager.delete(sessionId);
    const read = await sessions.manager.getState(branch.sessionId, { turns: 'all' });
    expect(read.turns.map(({ content }) => content)).toEqual(['a']);
  });

  it('that a slow fork lost to a delete takes the branch along', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    const slow = await bench.open(config, {
      create: async (session) => {
        bench.now += unconfirmed;
        await cleanup.sweep();
        await sessions.manager.delete(sessionId);
        return bench.store.create(session);
      },
    });
    await expect(slow.sessions.branches.fork(sessionId, 'b')).rejects.toThrow(SessionNotFoundError);
    expect((await sessions.manager.list()).items).toEqual([]);
  });

  it('of an operation that is done again late stands for as long as a new one', async () => {
    const bench = openBench();
    const { cleanup, sessions } = await bench.open(config);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    let alive = false;
    const again = await bench.open(config, {
      create: async (session) => {
        if (!alive) throw new Error('the process is gone');
        // Past its first time: only a sweep that does not know of the second one would drop it now.
        expect((await cleanup.sweep()).released).toBe(0);
        return bench.store.create(session);
      },
    });
    const fork = () => again.sessions.branches.fork(sessionId, 'b', { operationId: 'op' });
    await expect(fork()).rejects.toThrow('gone');
    bench.now += unconfirmed;
    alive = true;
    const branch = await fork();
    await sessions.manager.delete(sessionId);
    const read = await sessions.manager.getState(branch.sessionId, { turns: 'all' });
    expect(read.turns.map(({ content }) => content)).toEqual(['a']);
  });
});
