import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { say, sessionOf, textsOf } from '../reading.ts';
import { isFault, refused } from '../refusals.ts';
import { leftTurns, lived, nothingLeft } from '../remains.ts';

/** Promise 7: a delete leaves what living branches read, and nothing else. */
export const deleteLaws: readonly Law[] = [
  {
    id: 'delete/everything',
    promise: 'Delete removes the session, its checkpoints, its records and its turns.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      const sessionId = await lived(sessions);
      const [checkpoint] = (await checkpoints.list(sessionId)).items;
      await manager.delete(sessionId);
      await refused(manager.getState(sessionId), 'notFound', { sessionId });
      await refused(checkpoints.get(String(checkpoint?.checkpointId)), 'noCheckpoint');
      await refused(manager.delete(sessionId), 'notFound');
      assert.deepEqual((await manager.list()).items, []);
      await nothingLeft(bench.store, sessionId);
    },
  },
  {
    id: 'delete/fork-under-way',
    promise:
      'A fork that is under way while its parent is deleted reads all of its history, or is refused.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      for (const round of range(1, bench.scale(200, 12))) {
        const { sessionId } = await sessionOf(sessions, 3);
        const child = await branches.fork(sessionId, 'child');
        await manager.addTurn(child.sessionId, say('c'));
        const doomed = [sessionId, child.sessionId, sessionId][round % 3] as string;
        const [fork] = await Promise.allSettled([
          branches.fork(child.sessionId, 'racing'),
          later(round % 8).then(() => manager.delete(doomed)),
        ]);
        if (fork.status === 'fulfilled') {
          const shown = await textsOf(manager, fork.value.sessionId);
          assert.deepEqual(shown, ['t1', 't2', 't3', 'c']);
          await manager.delete(fork.value.sessionId);
        } else {
          isFault(fork.reason, 'notFound');
        }
        for (const id of [sessionId, child.sessionId]) {
          await manager.delete(id).catch((error: unknown) => isFault(error, 'notFound'));
        }
        if (fork.status === 'rejected') continue;
        assert.deepEqual(await leftTurns(bench.store, sessionId), []);
        assert.deepEqual(await leftTurns(bench.store, child.sessionId), []);
      }
    },
  },
  {
    id: 'delete/writes-in-flight',
    promise:
      'Writes in flight, another delete among them, bring nothing of a deleted session back.',
    async check(bench) {
      const sessions = await bench.open();
      const { checkpoints, manager } = sessions;
      for (const round of range(1, bench.scale(300, 12))) {
        const sessionId = await lived(sessions);
        const writes = [
          () => manager.addTurn(sessionId, say('late')),
          () => manager.addTurns(sessionId, [say('late'), say('later')]),
          () => manager.setVariables(sessionId, { v: 3 }),
          () => manager.setMetadata(sessionId, { m: 2 }),
          () => manager.rewind(sessionId, { toSeq: 1 }),
          () => checkpoints.create(sessionId),
        ];
        const deletes = Promise.allSettled(
          range(1, 2).map(async (n) => {
            await later((round * n) % 11);
            await manager.delete(sessionId);
          }),
        );
        // Each writer writes on until it has been refused a few times: some come before, some after.
        const { lost } = await inOneTick(writes.length, async (i) => {
          for (let n = 0, refusals = 0; n < 50 && refusals < 5; n++) {
            await writes[i]?.().catch((error: unknown) => {
              isFault(error, 'notFound');
              refusals += 1;
            });
          }
        });
        assert.deepEqual(lost, []);
        for (const end of await deletes) {
          if (end.status === 'rejected') isFault(end.reason, 'notFound');
        }
        await nothingLeft(bench.store, sessionId);
      }
    },
  },
  {
    id: 'delete/tombstone',
    promise: 'The id of a deleted session cannot be taken again.',
    async check(bench) {
      const { manager } = await bench.open();
      const sessionId = 'chosen';
      await manager.create({ userId: 'u', sessionId });
      await manager.delete(sessionId);
      const { lost } = await inOneTick(4, (i) =>
        manager.create({ userId: `u${i % 2}`, sessionId }),
      );
      assert.equal(lost.length, 4);
      for (const error of lost) isFault(error, 'conflict', { sessionId });
      await refused(manager.getState(sessionId), 'notFound');
    },
  },
  {
    id: 'delete/tombstone-without-content',
    promise:
      "In a deleted session's feed nothing stands but that it was deleted, also while branches read its turns.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const sessionId = await lived(sessions);
      await branches.fork(sessionId, 'b');
      const { revision } = await manager.getState(sessionId);
      await manager.delete(sessionId);
      const feed = await bench.store.feed(sessionId, { after: 0, limit: 1_000 });
      assert.deepEqual(
        feed.map(({ type }) => type),
        ['deleted'],
      );
      assert.equal(feed[0]?.revision, revision + 1);
    },
  },
];

/** Lets so many turns of the event loop's microtasks pass: races come out differently for each number. */
async function later(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}
