import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick } from '../many.ts';
import { say, sessionOf } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';

/** Promise 4, for how many sessions and branches there are. */
export const countLaws: readonly Law[] = [
  {
    id: 'counts/sessions',
    promise: 'Of sessions made in the same tick by one user as many are made as the cap allows.',
    async check(bench) {
      const { manager } = await bench.open({ maxSessionsPerUser: 3 });
      const { lost, won } = await inOneTick(10, () => manager.create({ userId: 'u' }));
      assert.equal(won.length, 3);
      for (const error of lost) isFault(error, 'capacity', { max: 3 });
      assert.equal((await manager.list({ userId: 'u' })).items.length, 3);
      await manager.create({ userId: 'somebody else' });
      await manager.create({ userId: 'u', tenantId: 'elsewhere' });
    },
  },
  {
    id: 'counts/which-sessions',
    promise:
      'The cap counts sessions that are active or suspended; those that ended or were deleted do not count, nor do branches.',
    async check(bench) {
      const { branches, manager } = await bench.open({ maxSessionsPerUser: 1, sessionTtl: 60 });
      const endings = [
        (id: string) => manager.close(id),
        (id: string) => manager.delete(id),
        async () => bench.clock.advance(60_000),
      ];
      for (const end of endings) {
        const { sessionId } = await manager.create({ userId: 'u' });
        await refused(manager.create({ userId: 'u' }), 'capacity', { max: 1 });
        const branch = await branches.fork(sessionId, 'b');
        await end(sessionId);
        assert.equal((await manager.getState(branch.sessionId)).turnCount, 0);
      }
      const { sessionId } = await manager.create({ userId: 'u' });
      await manager.suspend(sessionId);
      await refused(manager.create({ userId: 'u' }), 'capacity', { max: 1 });
    },
  },
  {
    id: 'counts/branches',
    promise:
      'Of forks of one session in the same tick as many are made as the cap of branches allows.',
    async check(bench) {
      const sessions = await bench.open({ maxBranchesPerSession: 3 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const { lost, won } = await inOneTick(8, (i) => branches.fork(sessionId, `b${i}`));
      assert.equal(won.length, 3);
      for (const error of lost) isFault(error, 'capacity', { max: 3 });
      assert.equal((await branches.list(sessionId)).items.length, 3);
      assert.equal((await manager.list()).items.length, 4);
    },
  },
  {
    id: 'counts/living-direct-branches',
    promise:
      'The cap of branches counts living direct ones: closed ones count, deleted ones and branches of branches do not.',
    async check(bench) {
      const sessions = await bench.open({ maxBranchesPerSession: 2 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const one = await branches.fork(sessionId, 'one');
      await branches.fork(one.sessionId, 'of one');
      const two = await branches.fork(sessionId, 'two');
      await manager.close(two.sessionId);
      await refused(branches.fork(sessionId, 'three'), 'capacity', { max: 2 });
      await manager.delete(two.sessionId);
      await branches.fork(sessionId, 'three');
      await refused(branches.fork(sessionId, 'four'), 'capacity', { max: 2 });
    },
  },
  {
    id: 'counts/deleted-grand-children',
    promise:
      'A branch of a branch that is deleted makes room, whether the branch wrote turns of its own or not.',
    async check(bench) {
      const sessions = await bench.open({ maxBranchesPerSession: 1 });
      const { branches, manager } = sessions;
      for (const writes of [true, false]) {
        const { sessionId } = await sessionOf(sessions, 2);
        const child = await branches.fork(sessionId, 'child');
        if (writes) await manager.addTurn(child.sessionId, say('own'));
        for (const name of ['one', 'two', 'three']) {
          const grandChild = await branches.fork(child.sessionId, name);
          const { items } = await branches.list(child.sessionId);
          assert.deepEqual(items, [grandChild]);
          await manager.delete(grandChild.sessionId);
        }
      }
    },
  },
];
