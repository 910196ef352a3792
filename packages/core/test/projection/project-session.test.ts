import { describe, expect, it } from 'vitest';
import { createSessions } from '../../src/create-sessions.ts';
import { SessionInputError, SessionLimitError, SessionNotFoundError } from '../../src/errors.ts';
import { Bm25ContextPruner } from '../../src/projection/bm25-pruner.ts';
import { project } from '../../src/projection/project.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import { RelevanceContextPruner } from '../../src/projection/relevance-pruner.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { countOf, seeded } from '../scale.ts';
import { addAll, allTurns, countReads, open } from './open-sessions.ts';
import { randomLog } from './random-log.ts';

const pruners = [new Bm25ContextPruner(), new RecencyContextPruner(), new RelevanceContextPruner()];

describe("a session's projection", () => {
  it('is that of its turns', async () => {
    await using sessions = await open();
    const random = seeded(11);
    for (let seed = 1; seed <= countOf(400, 30); seed++) {
      const { sessionId } = await sessions.manager.create({ userId: 'u' });
      await addAll(
        sessions,
        sessionId,
        randomLog(seed, { turns: 150 + Math.floor(random() * 250) }),
      );
      const turns = await allTurns(sessions, sessionId);
      for (const pruner of pruners) {
        const options = {
          maxTokens: 200 + Math.floor(random() * 3_000),
          ...(random() < 0.5 ? { query: 'the order in the warehouse' } : {}),
          ...(random() < 0.3 ? { viewer: 'a' } : {}),
          ...(random() < 0.3 ? { maxTurns: 5 + Math.floor(random() * 20) } : {}),
          pruner,
        };
        const pure = attempt(() => project(turns, options));
        const own = await attempt(() => sessions.projection.project(sessionId, options));
        expect(own, `log ${seed}`).toEqual(await pure);
      }
    }
  });

  it('keeps what it read, and reads only what is new', async () => {
    const { reads, store } = countReads(new InMemorySessionStore());
    await using sessions = await open(store);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    const said = { role: 'user', content: 'It is about the warehouse, and so on.' } as const;
    for (let n = 0; n < 20; n++) {
      await sessions.manager.addTurns(
        sessionId,
        Array.from({ length: 100 }, () => said),
      );
    }
    const options = { query: 'warehouse', maxTokens: 500 };
    const before = await sessions.projection.project(sessionId, options);
    expect(reads.turns).toBeGreaterThan(2_000);

    reads.turns = 0;
    expect(await sessions.projection.project(sessionId, options)).toEqual(before);
    expect(reads.turns).toBeLessThan(100);

    await sessions.manager.addTurn(sessionId, { role: 'user', content: 'The warehouse is empty.' });
    reads.turns = 0;
    const after = await sessions.projection.project(sessionId, options);
    expect(reads.turns).toBeLessThan(200);
    expect(after.turnIds).not.toEqual(before.turnIds);
  });

  it('by recency reads no more of a long history than of a short one', async () => {
    const { reads, store } = countReads(new InMemorySessionStore());
    await using sessions = await open(store);
    const said = { role: 'user', content: 'It is about the warehouse, and so on.' } as const;
    const read: number[] = [];
    for (const batches of [10, 100]) {
      const { sessionId } = await sessions.manager.create({
        userId: 'u',
        systemPrompt: 'Be brief.',
      });
      for (let n = 0; n < batches; n++) {
        await sessions.manager.addTurns(
          sessionId,
          Array.from({ length: 100 }, () => said),
        );
      }
      reads.turns = 0;
      const { omitted, system, turnIds } = await sessions.projection.project(sessionId, {
        pruner: new RecencyContextPruner(),
        maxTokens: 4_000,
      });
      read.push(reads.turns);
      expect(system).toBe('Be brief.');
      expect(omitted).toEqual([
        { from: 2, to: batches * 100 + 1 - (turnIds.length - 1), reason: 'budget' },
      ]);
    }
    expect(read[1]).toBe(read[0]);
  });

  it('of a branch and after a move is that of its own history', async () => {
    await using sessions = await open();
    const { branches, manager, projection } = sessions;
    const { sessionId } = await manager.create({ userId: 'u' });
    for (let n = 1; n <= 30; n++) {
      await manager.addTurn(sessionId, { turnId: `t${n}`, role: 'user', content: `number ${n}` });
    }
    await projection.project(sessionId, { query: 'number', maxTokens: 60 });
    const branch = await branches.fork(sessionId, 'other', { atTurn: 't10' });
    await manager.addTurn(branch.sessionId, { turnId: 'b1', role: 'user', content: 'a branch' });
    await manager.rewind(sessionId, { toTurn: 't5' });
    await manager.addTurn(sessionId, { turnId: 'm1', role: 'user', content: 'moved' });
    const shown = await projection.project(sessionId);
    expect(shown.turnIds).toEqual(['t1', 't2', 't3', 't4', 't5', 'm1']);
    const onBranch = await projection.project(branch.sessionId);
    expect(onBranch.turnIds).toEqual([...Array.from({ length: 10 }, (_, i) => `t${i + 1}`), 'b1']);
  });

  it('does not exist for others', async () => {
    await using sessions = await open();
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    const other = sessions.as({ userId: 'v' });
    await expect(other.projection.project(sessionId)).rejects.toThrow(SessionNotFoundError);
    await expect(sessions.as({ userId: 'u' }).projection.project(sessionId)).resolves.toBeDefined();
  });

  it('refuses what it does not know', async () => {
    await using sessions = await open();
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    const bad: readonly object[] = [
      { maxTokens: -1 },
      { maxTokens: 1.5 },
      { maxTurns: '3' },
      { query: 3 },
      { query: '\ud800' },
      { viewer: '' },
      { countTokens: 4 },
      { countTokens: () => Number.NaN, maxTokens: 10 },
      { pruner: {} },
      { format: 'xml' },
      { format: '__proto__' },
      { budget: 3 },
    ];
    await sessions.manager.addTurn(sessionId, { role: 'user', content: 'hello' });
    for (const options of bad) {
      await expect(
        sessions.projection.project(sessionId, options),
        JSON.stringify(options),
      ).rejects.toThrow(SessionInputError);
    }
  });

  it('says both numbers when what has to stay is too much', async () => {
    await using sessions = await createSessions();
    const { sessionId } = await sessions.manager.create({
      userId: 'u',
      systemPrompt: 'Always answer in verse. '.repeat(20),
    });
    const refused = await sessions.projection.project(sessionId, { maxTokens: 20 }).catch((e) => e);
    expect(refused).toBeInstanceOf(SessionLimitError);
    expect(refused.max).toBe(20);
    expect(refused.actual).toBeGreaterThan(60);
    expect(refused.message).toContain(String(refused.actual));
  });
});

async function attempt(run: () => unknown): Promise<unknown> {
  try {
    // Which of what is left out was not even read is the one difference.
    const { omitted: _, ...rest } = (await run()) as { omitted: unknown };
    return rest;
  } catch (error) {
    return (error as Error).message;
  }
}
