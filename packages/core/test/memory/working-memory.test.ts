import { describe, expect, it } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import {
  SessionInputError,
  SessionNotFoundError,
  SessionUnsupportedError,
} from '../../src/errors.ts';
import type { MemoryEntry } from '../../src/memory/memory-entry.ts';
import { InMemoryWorkingMemory, type WorkingMemory } from '../../src/memory/working-memory.ts';
import type { TurnRole } from '../../src/session/turn.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';

function entry(
  sessionId: string,
  seq: number,
  content: string,
  role: TurnRole = 'user',
): MemoryEntry {
  const turn = {
    turnId: `${sessionId}-${seq}`,
    seq,
    role,
    content,
    timestamp: '2026-03-01T00:00:00Z',
  };
  return { sessionId, tenantId: null, userId: 'u', turn };
}

const texts = (entries: readonly MemoryEntry[]) => entries.map(({ turn }) => turn.content);
const say = (content: string) => ({ role: 'user' as const, content });
/** A token is a word, and each turn costs four more. */
const countTokens = (text: string) => text.split(' ').length;

describe('the working memory of a process', () => {
  it('keeps the newest of a session within its bound', () => {
    const memory = new InMemoryWorkingMemory({ maxTokens: 15, countTokens });
    for (let i = 1; i <= 9; i++) memory.add(entry('s', i, `turn ${i}`));
    expect(texts(memory.getContextEntries('s'))).toEqual(['turn 8', 'turn 9']);
    memory.add(entry('s', 10, 'a long one '.repeat(99)));
    expect(memory.getContextEntries('s')).toEqual([]);
    memory.add(entry('s', 11, 'turn 11'));
    expect(texts(memory.getContextEntries('s'))).toEqual(['turn 11']);
  });

  it('holds no more text than its bound, however much is added', () => {
    const memory = new InMemoryWorkingMemory({ maxTokens: 1_000 });
    for (let i = 1; i <= 5_000; i++) memory.add(entry('s', i, `${i} `.padEnd(1_000, 'x')));
    const kept = memory.flush('s');
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(10);
  });

  it('forgets the session that was not added to for longest', () => {
    const memory = new InMemoryWorkingMemory({ maxSessions: 2 });
    memory.add(entry('a', 1, 'a'));
    memory.add(entry('b', 1, 'b'));
    memory.add(entry('a', 2, 'a again'));
    memory.add(entry('c', 1, 'c'));
    expect(['a', 'b', 'c'].map((id) => memory.getContextEntries(id).length)).toEqual([2, 0, 1]);
  });

  it('assembles what a query shares words with, within the budget, in order', () => {
    const memory = new InMemoryWorkingMemory({ countTokens });
    memory.add(entry('s', 1, 'You are kind.', 'system'));
    memory.add(entry('s', 2, 'trains to Rome leave at eight'));
    memory.add(entry('s', 3, 'what is the weather'));
    memory.add(entry('s', 4, 'tickets to Rome cost nine euros'));
    memory.add(entry('s', 5, 'thank you'));
    memory.add(entry('other', 1, 'Rome Rome Rome trains tickets'));
    const rome = memory.assemble('trains and tickets to Rome', 20, 's');
    expect(texts(rome)).toEqual([
      'trains to Rome leave at eight',
      'tickets to Rome cost nine euros',
    ]);
    expect(texts(memory.assemble('', 6, 's'))).toEqual(['thank you']);
    expect(memory.assemble('Rome', 0, 's')).toEqual([]);
    expect(memory.assemble('Rome', 99, 'unknown')).toEqual([]);
  });

  it('flushes one session, or all', () => {
    const memory = new InMemoryWorkingMemory();
    for (const id of ['a', 'b', 'c']) memory.add(entry(id, 1, id));
    expect(texts(memory.flush('b'))).toEqual(['b']);
    expect(texts(memory.flush())).toEqual(['a', 'c']);
    expect(memory.flush()).toEqual([]);
  });

  it('refuses what is no option and no budget', () => {
    for (const options of [
      { maxTokens: -1 },
      { maxSessions: 1.5 },
      { countTokens: 7 },
      { max: 1 },
    ]) {
      expect(() => new InMemoryWorkingMemory(options as never)).toThrow(SessionInputError);
    }
    const memory = new InMemoryWorkingMemory();
    expect(() => memory.assemble(7 as never, 1, 's')).toThrow(SessionInputError);
    expect(() => memory.assemble('', -1, 's')).toThrow(SessionInputError);
  });
});

describe('the memory of sessions', () => {
  it('has each turn that is added, by session', async () => {
    const { manager, memory } = await createSessions({ defaultSystemPrompt: 'Be kind.' });
    const a = await manager.create({ userId: 'a' });
    const b = await manager.create({ userId: 'b' });
    await manager.addTurn(a.sessionId, say('one'));
    await manager.addTurns(a.sessionId, [say('two'), say('three')]);
    await manager.addTurn(a.sessionId, say('one'), { operationId: 'op' });
    await manager.addTurn(a.sessionId, say('one'), { operationId: 'op' });
    const entries = await memory.entries(a.sessionId);
    expect(texts(entries)).toEqual(['Be kind.', 'one', 'two', 'three', 'one']);
    expect(entries.map(({ turn }) => turn.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(entries.map(({ userId }) => userId))).toEqual(new Set(['a']));
    expect(texts(await memory.entries(b.sessionId))).toEqual(['Be kind.']);
    expect(texts(await memory.assemble(a.sessionId, 'two', 6))).toEqual(['two']);
  });

  it('shows nothing that a move left behind, or another process wrote past it', async () => {
    const store = new InMemorySessionStore();
    const one = await createSessions({}, { store });
    const two = await createSessions({}, { store });
    const { sessionId } = await one.manager.create({ userId: 'u' });
    for (const text of ['one', 'two', 'three']) await one.manager.addTurn(sessionId, say(text));
    await one.manager.rewind(sessionId, { toSeq: 1 });
    expect(texts(await one.memory.entries(sessionId))).toEqual(['one']);
    await one.manager.addTurn(sessionId, say('other'));
    expect(texts(await one.memory.entries(sessionId))).toEqual(['one', 'other']);
    await one.manager.undo(sessionId);
    expect(texts(await one.memory.entries(sessionId))).toEqual(['one', 'two', 'three']);
    await two.manager.addTurn(sessionId, say('four'));
    expect(texts(await one.memory.entries(sessionId))).toEqual(['one', 'two', 'three', 'four']);
    expect(texts(await one.memory.assemble(sessionId, 'four', 100))).toContain('four');
    await two.manager.rewind(sessionId, { toSeq: 2 });
    expect(texts(await one.memory.entries(sessionId))).toEqual(['one', 'two']);
  });

  it('forgets sessions that end', async () => {
    const workingMemory = new InMemoryWorkingMemory();
    const { manager } = await createSessions({ maxTurnsPerSession: 2 }, { workingMemory });
    const kept = async (id: string) => workingMemory.getContextEntries(id).length;
    const ids = await Promise.all(
      ['full', 'closed', 'deleted'].map(async (sessionId) => {
        await manager.create({ userId: 'u', sessionId });
        await manager.addTurn(sessionId, say('x'));
        expect(await kept(sessionId)).toBe(1);
        return sessionId;
      }),
    );
    await manager.addTurn('full', say('y'));
    await manager.close('closed');
    await manager.delete('deleted');
    expect(await Promise.all(ids.map(kept))).toEqual([0, 0, 0]);
  });

  it("shows an owner nobody else's", async () => {
    const sessions = await createSessions();
    const ada = sessions.as({ userId: 'ada' });
    const bob = sessions.as({ userId: 'bob' });
    const { sessionId } = await ada.manager.create();
    await ada.manager.addTurn(sessionId, say('secret'));
    expect(texts(await ada.memory.entries(sessionId))).toEqual(['secret']);
    await expect(bob.memory.entries(sessionId)).rejects.toThrow(SessionNotFoundError);
    await expect(bob.memory.assemble(sessionId, 'secret', 9)).rejects.toThrow(SessionNotFoundError);
    await expect(bob.memory.list(sessionId)).rejects.toThrow(SessionNotFoundError);
    await expect(bob.memory.consolidation(sessionId)).rejects.toThrow(SessionNotFoundError);
    await expect(bob.memory.consolidate(sessionId)).rejects.toThrow(SessionNotFoundError);
  });

  it('of your own may be slow, and may fail, without holding up a turn', async () => {
    const added: string[] = [];
    const workingMemory: WorkingMemory = {
      add({ turn }) {
        added.push(String(turn.content));
        return turn.content === 'slow' ? new Promise(() => {}) : Promise.resolve();
      },
      assemble: async () => [],
      getContextEntries: async () => [],
      flush: async () => [],
    };
    const { manager } = await createSessions({}, { workingMemory });
    const { sessionId } = await manager.create({ userId: 'u' });
    for (const text of ['slow', 'quick']) await manager.addTurn(sessionId, say(text));
    expect(added).toEqual(['slow', 'quick']);
  });

  it('can be left out', async () => {
    const { manager, memory } = await createSessions({}, { workingMemory: null });
    const { sessionId } = await manager.create({ userId: 'u' });
    await manager.addTurn(sessionId, say('x'));
    await expect(memory.entries(sessionId)).rejects.toThrow(SessionUnsupportedError);
    await expect(memory.assemble(sessionId, '', 1)).rejects.toThrow(SessionUnsupportedError);
  });

  it('refuses parts that are none', async () => {
    const working = new InMemoryWorkingMemory();
    for (const parts of [
      { workingMemory: {} },
      { workingMemory: 7 },
      { workingMemory: { add: working.add, assemble: working.assemble, flush: working.flush } },
      { consolidator: {} },
      { consolidator: 'x' },
      { consolidator: { consolidate: async () => undefined, leaseMs: 0 } },
      { consolidator: { consolidate: async () => undefined, retryMs: 1.5 } },
      { consolidator: { consolidate: async () => undefined, timeoutMs: 'soon' } },
    ]) {
      await expect(createSessions({}, parts as never)).rejects.toThrow(SessionInputError);
    }
    const { manager, memory } = await createSessions();
    const { sessionId } = await manager.create({ userId: 'u' });
    for (const budget of [-1, 1.5, '9', undefined]) {
      await expect(memory.assemble(sessionId, '', budget as never)).rejects.toThrow(
        SessionInputError,
      );
    }
    await expect(memory.assemble(sessionId, 7 as never, 1)).rejects.toThrow(SessionInputError);
    await expect(memory.list(sessionId, { limit: 0 })).rejects.toThrow(SessionInputError);
    await expect(memory.list(sessionId, { cursor: 'x' })).rejects.toThrow(SessionInputError);
    await expect(memory.failures({ limit: -1 })).rejects.toThrow(SessionInputError);
  });
});
