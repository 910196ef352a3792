import { describe, expect, it } from 'vitest';
import {
  SessionClosedError,
  SessionInputError,
  SessionLimitError,
  SessionNotFoundError,
} from '../../src/errors.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import { open } from './open-sessions.ts';

async function talk(turns: number) {
  const sessions = await open();
  const { sessionId } = await sessions.manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
  for (let n = 1; n <= turns; n++) {
    const role = n % 2 === 1 ? 'user' : 'assistant';
    await sessions.manager.addTurn(sessionId, { turnId: `t${n}`, role, content: `number ${n}` });
  }
  return { sessions, sessionId, projection: sessions.projection };
}
const pruner = new RecencyContextPruner();

describe('a pinned turn', () => {
  it('stays, wherever it stands, until it is unpinned', async () => {
    const { projection, sessionId } = await talk(250);
    const options = { maxTokens: 60, pruner };
    await projection.pin(sessionId, 't3');
    const pinned = await projection.project(sessionId, options);
    expect(pinned.turnIds.slice(1, 3)).toEqual(['t3', expect.stringMatching(/^t2\d\d$/)]);
    expect(pinned.parts.pinned).toBeGreaterThan(0);
    const other = await projection.project(sessionId, { maxTokens: 60, query: 'number 100' });
    expect(other.turnIds).toContain('t3');

    await projection.unpin(sessionId, 't3');
    await projection.unpin(sessionId, 't3');
    expect((await projection.project(sessionId, options)).turnIds).not.toContain('t3');
  });

  it('brings the calls and results that it belongs to', async () => {
    const { projection, sessionId, sessions } = await talk(2);
    const call = { id: 'c', name: 'search', arguments: '{}' };
    await sessions.manager.addTurns(sessionId, [
      { turnId: 'call', role: 'assistant', content: '', toolCalls: [call] },
      { turnId: 'result', role: 'tool', toolCallId: 'c', content: 'found' },
    ]);
    for (let n = 0; n < 150; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: 'and then?' });
    }
    await projection.pin(sessionId, 'result');
    const shown = await projection.project(sessionId, { maxTokens: 100, pruner });
    expect(shown.turnIds).toEqual(expect.arrayContaining(['call', 'result']));
  });

  it('waits while a move has left it behind', async () => {
    const { projection, sessionId, sessions } = await talk(10);
    await projection.pin(sessionId, 't8');
    await sessions.manager.rewind(sessionId, { toTurn: 't4' });
    const left = await projection.project(sessionId, { maxTokens: 60, pruner });
    expect(left.turnIds).not.toContain('t8');
    await sessions.manager.undo(sessionId);
    await sessions.manager.addTurn(sessionId, { role: 'user', content: 'a long one '.repeat(20) });
    const back = await projection.project(sessionId, { maxTokens: 100, pruner });
    expect(back.turnIds).toContain('t8');
  });

  it('is refused past the budget, with both numbers', async () => {
    const { projection, sessionId, sessions } = await talk(1);
    const content = 'a long one '.repeat(100);
    await sessions.manager.addTurn(sessionId, { turnId: 'long', role: 'user', content });
    await projection.pin(sessionId, 'long');
    const refused = await projection.project(sessionId, { maxTokens: 50 }).catch((e) => e);
    expect(refused).toBeInstanceOf(SessionLimitError);
    expect([refused.limit, refused.max]).toEqual(['maxTokens', 50]);
    expect(refused.actual).toBeGreaterThan(100);
    const turns = await projection.project(sessionId, { maxTurns: 1 }).catch((e) => e);
    expect([turns.limit, turns.actual, turns.max]).toEqual(['maxTurns', 2, 1]);
  });

  it('is one of a hundred at most', async () => {
    const { projection, sessionId } = await talk(102);
    for (let n = 1; n <= 100; n++) await projection.pin(sessionId, `t${n}`);
    await projection.pin(sessionId, 't100');
    await expect(projection.pin(sessionId, 't101')).rejects.toThrow(SessionLimitError);
    await projection.unpin(sessionId, 't1');
    await projection.pin(sessionId, 't101');
  });

  it('is refused where there is none, and to others', async () => {
    const { projection, sessionId, sessions } = await talk(2);
    await expect(projection.pin(sessionId, 'nope')).rejects.toThrow(SessionInputError);
    await expect(projection.pin(sessionId, '')).rejects.toThrow(SessionInputError);
    const other = sessions.as({ userId: 'v' }).projection;
    await expect(other.pin(sessionId, 't1')).rejects.toThrow(SessionNotFoundError);
    await expect(other.unpin(sessionId, 't1')).rejects.toThrow(SessionNotFoundError);
    await expect(other.compact(sessionId)).rejects.toThrow(SessionNotFoundError);
    await sessions.manager.close(sessionId);
    await expect(projection.pin(sessionId, 't1')).rejects.toThrow(SessionClosedError);
    await expect(projection.compact(sessionId)).rejects.toThrow(SessionClosedError);
  });

  it('is pinned once by an operation that comes twice', async () => {
    const { projection, sessionId } = await talk(2);
    await projection.pin(sessionId, 't1', { operationId: 'once' });
    await projection.unpin(sessionId, 't1');
    await projection.pin(sessionId, 't1', { operationId: 'once' });
    const { parts } = await projection.project(sessionId);
    expect(parts.pinned).toBe(0);
  });
});
