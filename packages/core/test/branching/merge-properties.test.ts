import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SelectiveMerge } from '../../src/branching/selective-merge.ts';
import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import { isSessionError } from '../../src/errors.ts';
import { runs } from '../scale.ts';

/** What happens to a parent, its branch and its sister before they are merged. */
type Step =
  | { readonly do: 'write'; readonly who: number; readonly key: string | null }
  | { readonly do: 'rewind'; readonly who: number; readonly to: number }
  | { readonly do: 'undo'; readonly who: number }
  | { readonly do: 'merge'; readonly who: number; readonly from: number }
  | { readonly do: 'some'; readonly who: number; readonly from: number; readonly nth: number };

const who = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      key: fc.constantFrom(null, 'a', 'b'),
    }),
  },
  fc.record({ do: fc.constant('rewind' as const), who, to: fc.nat({ max: 8 }) }),
  fc.record({ do: fc.constant('undo' as const), who }),
  fc.record({ do: fc.constant('merge' as const), who, from: who }),
  fc.record({ do: fc.constant('some' as const), who, from: who, nth: fc.nat({ max: 8 }) }),
);

async function state({ manager }: Sessions, id: string) {
  const { expiresAt, revision, updatedAt, ...rest } = await manager.getState(id, { turns: 'all' });
  return rest;
}

async function take(sessions: Sessions, ids: readonly string[], steps: readonly Step[]) {
  const { branches, manager } = sessions;
  let n = 0;
  for (const one of steps) {
    const id = ids[one.who] ?? '';
    const from = 'from' in one ? (ids[one.from] ?? '') : '';
    n += 1;
    const variables = 'key' in one && one.key !== null ? { variables: { [one.key]: n } } : {};
    const acts = {
      write: () =>
        manager.addTurn(id, { turnId: `${n}`, role: 'user', content: `${n}` }, variables),
      rewind: () => manager.rewind(id, { toSeq: 'to' in one ? one.to : 0 }),
      undo: () => manager.undo(id),
      merge: () => branches.merge(id, from),
      async some() {
        const { turns } = await manager.getState(from, { turns: 'all' });
        const turn = turns[('nth' in one ? one.nth : 0) % Math.max(1, turns.length)];
        const strategy = new SelectiveMerge(turn === undefined ? [] : [turn.turnId]);
        await branches.merge(id, from, { strategy });
      },
    };
    try {
      await acts[one.do]();
    } catch (error) {
      // A rewind past the end, an undo of nothing, a session and itself.
      if (!isSessionError(error)) throw error;
    }
  }
}

it('whatever came before, a merge brings each turn once and in order, a second one nothing, and undo takes it back', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 30, size: 'max' }),
    async (steps) => {
      await using sessions = await createSessions({ sessionTtl: 0, autoCheckpointInterval: null });
      const { branches, manager } = sessions;
      const { sessionId } = await manager.create({ userId: 'u', variables: { a: 0 } });
      for (const turnId of ['p', 'q']) {
        await manager.addTurn(sessionId, { turnId, role: 'user', content: turnId });
      }
      const ids = [sessionId];
      for (const atSeq of [1, 2]) {
        ids.push((await branches.fork(sessionId, 'b', { atSeq })).sessionId);
      }
      await take(sessions, ids, steps);
      for (const from of ids) {
        for (const into of ids) {
          if (from === into) continue;
          const before = await state(sessions, into);
          const branch = await state(sessions, from);
          const { merged, state: after } = await branches.merge(into, from);
          const shown = await state(sessions, into);
          const contents = shown.turns.map(({ content }) => content);
          expect(new Set(contents).size).toBe(contents.length);
          expect(shown.turns.slice(0, before.turns.length)).toEqual(before.turns);
          const brought = contents.slice(before.turns.length);
          expect(brought).toHaveLength(merged);
          const theirs = branch.turns.map(({ content }) => content);
          expect(brought).toEqual(theirs.filter((content) => brought.includes(content)));
          for (const content of theirs) expect(contents).toContain(content);
          expect(await state(sessions, from)).toEqual(branch);
          const again = await branches.merge(into, from);
          expect([again.merged, again.state.revision]).toEqual([0, after.revision]);
          const { onlyA, onlyB } = await branches.diff(into, from);
          expect(onlyB.count).toBe(0);
          expect(onlyA.count).toBe(contents.length - theirs.length);
          if (after.head.timelineId === before.head.timelineId) continue;
          await manager.undo(into);
          expect(await state(sessions, into)).toEqual(before);
          await manager.redo(into);
          expect(await state(sessions, into)).toEqual(shown);
        }
      }
    },
  );
  await fc.assert(property, runs(100));
});
