import { join } from 'node:path';
import { isSessionId, type TurnInput } from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';
import { batchesOf, countBranches, type Path, planOf, sessionIdOf } from '../src/tour/plan.ts';

const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');

function conversation(parents: Readonly<Record<string, string | null>>): Conversation {
  const turns = Object.entries(parents).map(([turnId, parent]) => ({
    turn: { turnId, role: 'user' as const, content: turnId },
    parent,
  }));
  return { turns, tree: true } as unknown as Conversation;
}

/** Each session's whole history, by the name of its branch. */
function histories(path: Path, before: readonly string[] = []): Map<string, readonly string[]> {
  const fork = path.forkAt === null ? 0 : before.indexOf(path.forkAt) + 1;
  const own = path.turns.map(({ turnId }) => turnId as string);
  const history = [...before.slice(0, fork), ...own];
  const found = new Map<string, readonly string[]>([[path.branchName ?? '', history]]);
  for (const branch of path.branches) {
    for (const [name, turns] of histories(branch, history)) found.set(name, turns);
  }
  return found;
}

describe('a plan', () => {
  it('of a row of turns is one session', () => {
    const plan = planOf(conversation({ a: null, b: 'a', c: 'b' }));
    expect([...histories(plan)]).toEqual([['', ['a', 'b', 'c']]]);
  });

  it('keeps the longest way and forks the others where they part', () => {
    const plan = planOf(
      conversation({ a: null, b: 'a', c: 'a', d: 'c', e: 'd', f: 'c', g: null, h: 'b' }),
    );
    expect([...histories(plan)]).toEqual([
      ['', ['a', 'c', 'd', 'e']],
      ['alternative-1', ['g']],
      ['alternative-2', ['a', 'b', 'h']],
      ['alternative-3', ['a', 'c', 'f']],
    ]);
  });

  it('of each real conversation has every turn once, and every leaf at the end of a session', async () => {
    for await (const conversation of readConversations(directory)) {
      const plan = planOf(conversation);
      const all = histories(plan);
      const parentOf = new Map(conversation.turns.map(({ parent, turn }) => [turn.turnId, parent]));
      const parents = new Set(parentOf.values());
      const leaves = [...parentOf.keys()].filter((id) => !parents.has(id));
      expect([...all.values()].map((history) => history.at(-1)).sort()).toEqual(leaves.sort());
      for (const history of all.values()) {
        for (const [i, id] of history.entries()) {
          expect(parentOf.get(id)).toBe(history[i - 1] ?? null);
        }
      }
      expect(ownTurns(plan).sort()).toEqual([...parentOf.keys()].sort());
      expect(all.size).toBe(countBranches(plan) + 1);
      expect(isSessionId(sessionIdOf(conversation.id))).toBe(true);
    }
  });
});

function ownTurns({ branches, turns }: Path): string[] {
  return [...turns.map(({ turnId }) => turnId as string), ...branches.flatMap(ownTurns)];
}

describe('ids and batches', () => {
  it('keep an id that a session can have, and make one of any other', () => {
    expect(sessionIdOf('oasst-1_x')).toBe('oasst-1_x');
    expect(sessionIdOf('a b/ü')).toMatch(/^a-b--[0-9a-f]{12}$/);
    expect(sessionIdOf('a b/ü')).not.toBe(sessionIdOf('a b/ö'));
    expect(isSessionId(sessionIdOf('x'.repeat(500)))).toBe(true);
  });

  it('hold at most 100 turns and 4 MiB', () => {
    const turn = (content: string): TurnInput => ({ role: 'user', content });
    const sizes = (turns: readonly TurnInput[]) =>
      [...batchesOf(turns)].map((batch) => batch.length);
    expect(sizes([])).toEqual([]);
    expect(sizes(Array.from({ length: 250 }, () => turn('x')))).toEqual([100, 100, 50]);
    expect(sizes(Array.from({ length: 5 }, () => turn('x'.repeat(1_000_000))))).toEqual([4, 1]);
  });
});
