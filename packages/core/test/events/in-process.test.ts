import { describe, expect, it } from 'vitest';
import { parseSessionConfig } from '../../src/config/session-config.ts';
import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import { SessionInputError } from '../../src/errors.ts';
import type { ListenerFault } from '../../src/events/listeners.ts';
import { type SessionEvent, sessionEventTypes } from '../../src/events/session-event.ts';
import { SessionEvents } from '../../src/events/session-events.ts';
import { Engine } from '../../src/manager/engine.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { take, told } from './reading.ts';

const say = (content: string) => ({ role: 'user' as const, content });

/** All that happens to sessions, one way or another; answers their ids. */
async function live({ branches, checkpoints, manager }: Sessions): Promise<readonly string[]> {
  const { sessionId: id } = await manager.create({ userId: 'u', systemPrompt: 'Be kind.' });
  await manager.addTurn(id, say('a'));
  await manager.addTurn(id, say('b'), { variables: { n: 1 } });
  await manager.addTurns(id, [say('c'), say('d'), { ...say('e'), turnId: 'left-behind' }]);
  await manager.setVariables(id, { mood: 'good' });
  await manager.setMetadata(id, { topic: 't' });
  const { checkpointId } = await checkpoints.create(id, { label: 'here' });
  const edited = await manager.edit(id, (await last(manager, id)) as string, 'E');
  await manager.undo(id);
  await manager.redo(id);
  await manager.rewind(id, { toSeq: edited.turnCount - 2 });
  await checkpoints.restore(checkpointId);
  await checkpoints.delete(checkpointId);
  await manager.suspend(id);
  await manager.resume(id);
  const branch = await branches.fork(id, 'other', { atSeq: 2 });
  await manager.addTurns(branch.sessionId, [say('x'), say('y')]);
  await branches.merge(id, branch.sessionId);
  await manager.select(id, 'left-behind');
  await manager.close(branch.sessionId, { reason: 'done' });
  const full = await manager.create({ userId: 'u', tenantId: 'acme' });
  for (let n = 1; n <= 12; n++) await manager.addTurn(full.sessionId, say(`${n}`));
  return [id, branch.sessionId, full.sessionId];
}

async function last(manager: Sessions['manager'], id: string): Promise<string | null> {
  return (await manager.getState(id)).head.turnId;
}

describe('events.on', () => {
  it('tells what the store tells, event for event', async () => {
    const sessions = await createSessions({ autoCheckpointInterval: 3, maxTurnsPerSession: 12 });
    const heard: SessionEvent[] = [];
    for (const type of sessionEventTypes) sessions.events.on(type, (event) => heard.push(event));
    const subscription = sessions.events.subscribe();
    await subscription.start;
    const ids = await live(sessions);
    await sessions.manager.delete(ids[1] as string);
    await told();
    const types = new Set(heard.map(({ type }) => type));
    expect([...types].sort()).toEqual(sessionEventTypes.filter((one) => one !== 'changed').sort());

    // Deleted since: the store tells no more of it than that.
    const kept = heard.filter((event) => event.sessionId !== ids[1] || event.type === 'deleted');
    const stored = await take(subscription, kept.length);
    const bare = (events: readonly object[]) => events.map((event) => ({ ...event, cursor: '' }));
    expect(bare(stored)).toEqual(bare(kept));

    for (const id of [ids[0], ids[2]]) {
      const own = heard.filter(({ sessionId }) => sessionId === id);
      const after = own[0]?.cursor as string;
      const rest = sessions.events.subscribe({ sessionId: id, after });
      expect(await take(rest, own.length - 1)).toEqual(own.slice(1));
    }
    await sessions.close();
  });

  it('tells of a close by the cap in the write that reached it', async () => {
    await using sessions = await createSessions({ maxTurnsPerSession: 2 });
    const heard: unknown[] = [];
    sessions.events.on('closed', ({ reason, revision, status }) => {
      heard.push([revision, status, reason]);
    });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurns(sessionId, [say('a'), say('b')]);
    await told();
    expect(heard).toEqual([[2, 'closed', 'turn_limit']]);
  });

  it('tells of a session that ran out as closed, once, when it is swept', async () => {
    await using sessions = await createSessions({ sessionMaxAge: 1 });
    const { store } = sessions;
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    const heard: SessionEvent[] = [];
    sessions.events.on('closed', (event) => heard.push(event));
    const subscription = sessions.events.subscribe({ sessionId });
    await subscription.start;
    for (;;) {
      if ((await store.session(sessionId))?.status === 'expired') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(heard).toEqual([]);
    await sessions.cleanup.sweep();
    await sessions.cleanup.sweep();
    await told();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ type: 'closed', status: 'expired', reason: null });
    expect(await take(subscription, 1)).toEqual(heard);
  });

  it('tells each owner of its own only', async () => {
    await using sessions = await createSessions();
    const ada = sessions.as({ userId: 'ada', tenantId: 'acme' });
    const bob = sessions.as({ userId: 'bob', tenantId: 'acme' });
    const other = sessions.as({ userId: 'ada' });
    const heard: string[] = [];
    const tell = (who: string) => (): void => {
      heard.push(who);
    };
    ada.events.on('turn', tell('ada'));
    bob.events.on('turn', tell('bob'));
    other.events.on('turn', tell('other'));
    sessions.events.on('turn', tell('all'));
    const { sessionId } = await ada.manager.create();
    await ada.manager.addTurn(sessionId, say('a'));
    await sessions.manager.addTurn(sessionId, say('b'));
    await told();
    expect(heard).toEqual(['ada', 'all', 'ada', 'all']);
  });

  it('goes on whatever a listener does, after the call is answered, and reports the fault', async () => {
    const sessions = await createSessions();
    const faults: ListenerFault[] = [];
    sessions.events.onListenerError((fault) => {
      faults.push(fault);
      throw new Error('and so does the report');
    });
    const order: string[] = [];
    sessions.events.on('turn', () => {
      order.push('first');
      throw new Error('thrown');
    });
    sessions.events.on('turn', () => Promise.reject(new Error('rejected')));
    sessions.events.on('turn', () => new Promise(() => {}));
    const remove = sessions.events.on('turn', () => order.push('last'));
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurn(sessionId, say('a'));
    order.push('answered');
    await told();
    expect(order).toEqual(['answered', 'first', 'last']);
    expect(faults.map(({ error }) => (error as Error).message)).toEqual(['thrown', 'rejected']);
    remove();
    remove();
    await sessions.manager.addTurn(sessionId, say('b'));
    await told();
    expect(order).toEqual(['answered', 'first', 'last', 'first']);
    expect((await sessions.manager.getState(sessionId)).turnCount).toBe(2);
    await sessions.close();
  });

  it('warns of a fault that nobody takes, without its words', async () => {
    await using sessions = await createSessions();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    sessions.events.on('created', () => {
      throw new TypeError('what Ada said');
    });
    await sessions.manager.create({ userId: 'u' });
    const { message, name } = await warned;
    expect(name).toBe('SessionListenerWarning');
    expect(message).toMatch(/^A listener of session events threw TypeError at .*in-process\.test/);
    expect(message).not.toContain('Ada');
  });

  it('tells what is still to be told before it closes', async () => {
    const sessions = await createSessions();
    const heard: string[] = [];
    sessions.events.on('created', ({ type }) => heard.push(type));
    await sessions.manager.create({ userId: 'u' });
    await sessions.close();
    expect(heard).toEqual(['created']);
  });

  it('costs the calls nothing while nobody listens', async () => {
    const engine = new Engine(new InMemorySessionStore(), parseSessionConfig({}));
    const events = new SessionEvents(engine);
    const scoped = new SessionEvents(engine.as({ tenantId: null, userId: 'u' }));
    const subscription = events.subscribe();
    await subscription.start;
    expect(engine.writes.any).toBe(false);
    const remove = events.on('turn', () => undefined);
    const removeOther = scoped.on('created', () => undefined);
    remove();
    expect(engine.writes.any).toBe(true);
    removeOther();
    expect(engine.writes.any).toBe(false);
    await subscription.return();
  });

  it('refuses what is no type and no listener', async () => {
    await using sessions = await createSessions();
    const on = sessions.events.on.bind(sessions.events) as (...given: unknown[]) => unknown;
    for (const given of [['nothing', () => {}], ['__proto__', () => {}], ['turn'], ['turn', 1]]) {
      expect(() => on(...given)).toThrow(SessionInputError);
    }
    const report = sessions.events.onListenerError.bind(sessions.events) as (x: unknown) => void;
    expect(() => report(null)).toThrow(SessionInputError);
  });
});
