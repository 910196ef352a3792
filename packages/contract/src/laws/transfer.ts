import assert from 'node:assert/strict';
import type { Law } from '../law.ts';
import { addTexts, say, sessionOf, texts, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** A session that goes to another owner: all of it, once, and the old id is nobody's. */
export const transferLaws: readonly Law[] = [
  {
    id: 'transfer/moves',
    promise:
      'A session that is given to another owner is there under a new id with its history, metadata and variables; the old id is unknown, and what was left behind is gone.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const guest = sessions.as({ userId: 'guest' });
      const { sessionId } = await guest.manager.create({ metadata: { m: 1 }, variables: { v: 1 } });
      await addTexts(manager, sessionId, texts(3));
      await guest.manager.rewind(sessionId, { toSeq: 2 });
      await manager.addTurn(sessionId, say('last'), { variables: { v: 2 } });
      const before = await manager.getState(sessionId);

      const ada = { tenantId: 'acme', userId: 'ada' };
      const moved = await manager.transfer(sessionId, ada);
      assert.notEqual(moved.sessionId, sessionId);
      assert.deepEqual(
        [moved.tenantId, moved.userId, moved.status, moved.parentSessionId],
        ['acme', 'ada', 'active', null],
      );
      const told = ({ metadata, totalCost, totalTokens, turnCount, variables }: typeof moved) => ({
        metadata,
        totalCost,
        totalTokens,
        turnCount,
        variables,
      });
      assert.deepEqual(told(moved), told(before));
      assert.deepEqual(await textsOf(manager, moved.sessionId), [...texts(2), 'last']);
      await refused(manager.getState(sessionId), 'notFound', { sessionId });
      await refused(manager.addTurn(sessionId, say('late')), 'notFound', { sessionId });
      assert.deepEqual((await guest.manager.list()).items, []);
      assert.deepEqual(await manager.transfer(sessionId, ada), moved);
      assert.equal((await sessions.as(ada).manager.addTurn(moved.sessionId, say('on'))).seq, 4);
    },
  },
  {
    id: 'transfer/loses-nothing',
    promise: 'A turn that is acknowledged while its session is given away is in the new one.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      for (let round = 0; round < 10; round++) {
        const { sessionId } = await sessionOf(sessions, 2);
        // One of the writers comes between any two steps of the transfer.
        const writing = ['a', 'b', 'c'].map(async (name) => {
          const acknowledged: string[] = [];
          for (const text of texts(12, name)) {
            await manager.getState(sessionId).catch(() => null);
            const added = await manager.addTurn(sessionId, say(text)).catch(() => null);
            if (added !== null) acknowledged.push(text);
          }
          return acknowledged;
        });
        const moved = await manager.transfer(sessionId, { userId: `u${round}` });
        const written = (await Promise.all(writing)).flat().toSorted();
        const there = await textsOf(manager, moved.sessionId);
        assert.deepEqual(there.slice(2).toSorted(), written);
      }
    },
  },
  {
    id: 'transfer/refused',
    promise:
      'A transfer that the new owner has no room for, to the owner of now, or of an ended session is refused, and the session goes on.',
    async check(bench) {
      const sessions = await bench.open({ maxSessionsPerUser: 1 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.create({ userId: 'full' });
      const before = await manager.getState(sessionId);
      await refused(manager.transfer(sessionId, { userId: 'full' }), 'capacity');
      await refused(manager.transfer(sessionId, { userId: before.userId }), 'input');
      const after = await manager.getState(sessionId);
      assert.deepEqual(
        [after.status, after.userId, after.head],
        ['active', before.userId, before.head],
      );
      await manager.addTurn(sessionId, say('on'));
      await manager.close(sessionId);
      await refused(manager.transfer(sessionId, { userId: 'other' }), 'closed', { sessionId });
      assert.deepEqual((await manager.list({ userId: 'other' })).items, []);

      // Room for one: of two sessions that come at once one stays where it is, and goes on.
      const two = [await sessionOf(sessions, 1), await manager.create({ userId: 'next to it' })];
      const results = await Promise.allSettled(
        two.map((one) => manager.transfer(one.sessionId, { userId: 'other' })),
      );
      assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
      const stays = two[results.findIndex(({ status }) => status === 'rejected')]?.sessionId ?? '';
      assert.equal((await manager.addTurn(stays, say('on'))).current, true);
    },
  },
  {
    id: 'transfer/no-room-changes-nothing',
    promise:
      'A transfer that the new owner has no room for leaves no trace, however often it is asked for.',
    async check(bench) {
      const sessions = await bench.open({ maxSessionsPerUser: 1 });
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.create({ userId: 'full' });
      const before = await manager.getState(sessionId);
      for (let n = 0; n < 3; n++) {
        await refused(manager.transfer(sessionId, { userId: 'full' }), 'capacity');
      }
      assert.deepEqual(await manager.getState(sessionId), before);
    },
  },
  {
    id: 'transfer/at-once',
    promise:
      'A session that one owner asks for several times at once is given once, and each is answered with it; of several owners that ask at once one gets it, and for the others it is unknown.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      for (let round = 0; round < 10; round++) {
        const { sessionId } = await sessionOf(sessions, 2);
        if (round % 2 === 1) await manager.suspend(sessionId);
        const names = [`a${round}`, `a${round}`, `a${round}`, `b${round}`, `c${round}`];
        const answers = await Promise.allSettled(
          names.map((userId) => manager.transfer(sessionId, { userId })),
        );
        const given = new Map<string, string>();
        for (const [i, answer] of answers.entries()) {
          if (answer.status === 'rejected') {
            await refused(Promise.reject(answer.reason), 'notFound', { sessionId });
            continue;
          }
          given.set(names[i] as string, answer.value.sessionId);
        }
        const winners = new Set(given.keys());
        assert.equal(winners.size, 1, `${[...winners]}`);
        const won = answers.filter(({ status }) => status === 'fulfilled');
        assert.equal(won.length, winners.has(`a${round}`) ? 3 : 1);
        for (const userId of new Set(names)) {
          const { items } = await manager.list({ userId });
          assert.deepEqual(
            items.map((item) => item.sessionId),
            winners.has(userId) ? [given.get(userId)] : [],
          );
        }
        const [movedId] = given.values();
        assert.deepEqual(await textsOf(manager, movedId as string), texts(2));
        await refused(manager.getState(sessionId), 'notFound', { sessionId });
      }
    },
  },
  {
    id: 'transfer/suspended',
    promise: 'A suspended session is suspended with its new owner, too, and can be resumed there.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      await manager.suspend(sessionId);
      const moved = await manager.transfer(sessionId, { userId: 'ada' });
      assert.equal(moved.status, 'suspended');
      await refused(manager.addTurn(moved.sessionId, say('x')), 'transition');
      await manager.resume(moved.sessionId);
      await manager.addTurn(moved.sessionId, say('on'));
      assert.deepEqual(await textsOf(manager, moved.sessionId), [...texts(2), 'on']);
    },
  },
];
