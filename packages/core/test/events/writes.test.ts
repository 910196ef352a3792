import { describe, expect, it } from 'vitest';
import { BranchManager } from '../../src/branching/branch-manager.ts';
import { CheckpointManager } from '../../src/checkpointing/checkpoint-manager.ts';
import { parseSessionConfig } from '../../src/config/session-config.ts';
import { Listeners } from '../../src/events/listeners.ts';
import { type Written, writtenTurns } from '../../src/events/written.ts';
import { Engine } from '../../src/manager/engine.ts';
import { SessionManager } from '../../src/manager/session-manager.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';

const say = (content: string) => ({ role: 'user' as const, content });

function open(report?: ConstructorParameters<typeof Listeners>[0]) {
  const store = new InMemorySessionStore();
  const writes = new Listeners<Written>(report);
  const engine = new Engine(
    store,
    parseSessionConfig({ defaultSystemPrompt: 'Be kind.' }),
    {},
    undefined,
    writes,
  );
  return {
    writes,
    engine,
    manager: new SessionManager(engine),
    checkpoints: new CheckpointManager(engine),
    branches: new BranchManager(engine),
  };
}

/** The writes that are seen in a session's feed. */
function told(written: Written): string | null {
  if (written.verb === 'erase') return 'deleted';
  if (written.verb === 'create') return 'created';
  const { append, event } = written.given;
  return event?.type ?? (append !== undefined && append.timelineId === undefined ? 'turns' : null);
}

describe('the writes of an engine', () => {
  it('are told once each, in order, with the turns and the revision, by all services', async () => {
    const { branches, checkpoints, engine, manager, writes } = open();
    const seen: (readonly [string, string, number, readonly unknown[]])[] = [];
    writes.add((written) => {
      const type = told(written);
      if (type === null) return;
      const { revision, sessionId } = written.session;
      seen.push([
        sessionId,
        type,
        revision,
        writtenTurns(written).map(({ content, seq }) => [seq, content]),
      ]);
    });
    const { sessionId: id } = await manager.create({ userId: 'u' });
    const scoped = new SessionManager(engine.as({ tenantId: null, userId: 'u' }));
    await scoped.addTurn(id, say('hello'));
    await manager.addTurns(id, [say('a'), say('b')]);
    await manager.setVariables(id, { mood: 'good' });
    await manager.setMetadata(id, { topic: 't' });
    const { checkpointId } = await checkpoints.create(id, { label: 'here' });
    await manager.rewind(id, { toSeq: 2 });
    await manager.undo(id);
    await checkpoints.delete(checkpointId);
    await manager.suspend(id);
    await manager.resume(id);
    const branch = await branches.fork(id, 'other', { atSeq: 1 });
    await manager.close(branch.sessionId);
    await manager.delete(id);
    expect(seen).toEqual([
      [id, 'created', 1, [[1, 'Be kind.']]],
      [id, 'turns', 2, [[2, 'hello']]],
      [
        id,
        'turns',
        3,
        [
          [3, 'a'],
          [4, 'b'],
        ],
      ],
      [id, 'variables', 4, []],
      [id, 'metadata', 5, []],
      [id, 'checkpoint', 6, []],
      [id, 'move', 7, []],
      [id, 'move', 8, []],
      [id, 'checkpoint_deleted', 9, []],
      [id, 'suspended', 10, []],
      [id, 'resumed', 11, []],
      [branch.sessionId, 'created', 1, []],
      [branch.sessionId, 'closed', 2, []],
      [id, 'deleted', 12, []],
    ]);
  });

  it('are not told when nothing was written: refused, repeated, replayed', async () => {
    const { manager, writes } = open();
    const { sessionId: id } = await manager.create({ userId: 'u', operationId: 'make' });
    const turn = { ...say('once'), turnId: 't1' };
    await manager.addTurn(id, turn);
    await manager.addTurn(id, say('twice'), { operationId: 'add' });
    const seen: Written[] = [];
    writes.add((written) => seen.push(written));
    await manager.create({ userId: 'u', operationId: 'make' });
    expect((await manager.addTurn(id, turn)).duplicate).toBe(true);
    await manager.addTurn(id, say('twice'), { operationId: 'add' });
    await expect(manager.addTurn(id, say('late'), { expectedSeq: 1 })).rejects.toThrow();
    await expect(manager.addTurn('nobody', say('x'))).rejects.toThrow();
    await expect(manager.delete('nobody')).rejects.toThrow();
    expect(seen).toEqual([]);
    await Promise.allSettled([manager.delete(id), manager.delete(id)]);
    expect(seen.filter(({ verb }) => verb === 'erase')).toHaveLength(1);
  });

  it('go on whatever a listener does, and its fault is reported', async () => {
    const faults: unknown[] = [];
    const { manager, writes } = open(({ error, reason }) => {
      faults.push([reason, (error as Error).message]);
      throw new Error('the report fails too');
    });
    const order: string[] = [];
    writes.add(() => {
      throw new Error('thrown');
    });
    writes.add(() => Promise.reject(new Error('rejected')));
    const remove = writes.add(() => order.push('heard'));
    const { sessionId } = await manager.create({ userId: 'u' });
    remove();
    await manager.addTurn(sessionId, say('hello'));
    expect(order).toEqual(['heard']);
    expect(faults).toHaveLength(4);
    expect(faults.filter((fault) => (fault as string[])[1] === 'thrown')).toHaveLength(2);
    expect((await manager.getState(sessionId)).turnCount).toBe(2);
  });

  it('are told to who listens when they are made, not to who comes then', async () => {
    const { manager, writes } = open();
    const heard: number[] = [];
    const listen = (): void => {
      heard.push(heard.length);
      if (heard.length < 100) writes.add(listen);
    };
    writes.add(listen);
    const { sessionId } = await manager.create({ userId: 'u' });
    expect(heard).toHaveLength(1);
    await manager.addTurn(sessionId, say('a'));
    expect(heard).toHaveLength(3);
  });

  it('do not wait for a listener that never comes to an end, which is reported', async () => {
    const hung = Promise.withResolvers<unknown>();
    const writes = new Listeners<Written>(hung.resolve, 1);
    const engine = new Engine(
      new InMemorySessionStore(),
      parseSessionConfig({}),
      {},
      undefined,
      writes,
    );
    writes.add(() => new Promise(() => {}));
    await new SessionManager(engine).create({ userId: 'u' });
    // The timer that reports keeps no process alive: this one does.
    const awake = setInterval(() => {}, 1_000);
    expect(await hung.promise).toMatchObject({ reason: 'hangs' });
    clearInterval(awake);
  });
});
