import assert from 'node:assert/strict';
import type {
  SessionEvent,
  SessionSubscription,
  SubscriptionResetEvent,
} from '@lexigram/ai-session';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { say, sessionOf } from '../reading.ts';
import { refused } from '../refusals.ts';

type Told = SessionEvent | SubscriptionResetEvent;

const config = { autoCheckpointInterval: null };

/** The next `count` events. */
async function take(subscription: SessionSubscription, count: number): Promise<readonly Told[]> {
  const events: Told[] = [];
  while (events.length < count) {
    const { done, value } = await soon(subscription.next());
    assert.ok(done !== true, `it ends after ${events.length} events of ${count}`);
    events.push(value);
  }
  return events;
}

/** Fails if it takes longer than any store may. */
async function soon<T>(step: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new assert.AssertionError({ message: 'no event came' });
  const timer = setTimeout(() => reject(error), 5_000);
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}

function short(event: Told): string {
  const said = event.type === 'turn' ? ` ${String(event.turn.content)}` : '';
  return `${event.revision} ${event.type}${said}`;
}

/** Events: what a subscription tells of promise 10, and of promise 8. */
export const eventLaws: readonly Law[] = [
  {
    id: 'events/whoever-writes',
    promise:
      'Who subscribes is told what anybody makes of the same store, once each, those of a session in the order of revisions.',
    async check(bench) {
      const [one, other] = [await bench.open(config), await bench.open(config)];
      const ids = [await sessionOf(one), await sessionOf(other)].map(({ sessionId }) => sessionId);
      const all = one.events.subscribe();
      const first = one.events.subscribe({ sessionId: ids[0] });
      await Promise.all([all.start, first.start]);
      const rounds = bench.scale(60, 12);
      const waiting = take(first, 4 * rounds);
      const { lost } = await inOneTick(4, async (i) => {
        const { manager } = i % 2 === 0 ? one : other;
        for (const n of range(1, rounds)) {
          for (const id of ids) await manager.addTurn(id, say(`${i}.${n}`));
        }
      });
      assert.deepEqual(lost, []);
      const told = await take(all, 8 * rounds);
      for (const id of ids) {
        const own = told.filter(({ sessionId }) => sessionId === id);
        const feed = await bench.store.feed(id, { after: 1, limit: 1_000 });
        const turns = feed.flatMap((item) => (item.type === 'turn' ? [item.turn.turnId] : []));
        assert.deepEqual(
          own.map((event) => event.type === 'turn' && event.turn.turnId),
          turns,
        );
        if (id === ids[0]) assert.deepEqual((await waiting).map(short), own.map(short));
      }
      await inOneTick(8, (i) => one.manager.setVariables(ids[i % 2] as string, { [`v${i}`]: i }));
      const alike = await take(all, 8);
      const cursors = new Set([...told, ...alike].map(({ cursor }) => cursor));
      assert.equal(cursors.size, told.length + 8);
      for (const [i, { cursor }] of alike.entries()) {
        const rest = other.events.subscribe({ after: cursor });
        assert.deepEqual(await take(rest, 7 - i), alike.slice(i + 1));
        await rest.return();
      }
    },
  },
  {
    id: 'events/resumable',
    promise:
      'After the cursor of any event what came after it follows, and only that, whichever services ask.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 2 });
      const all = sessions.events.subscribe({ userId: 'u' });
      const begin = await all.start;
      const { sessionId } = await sessionOf(sessions, 3);
      await sessions.manager.addTurns(sessionId, [say('a'), say('b'), say('c')]);
      await sessions.manager.rewind(sessionId, { toSeq: 2 });
      await sessions.manager.undo(sessionId);
      await sessions.manager.setMetadata(sessionId, { m: 1 });
      await sessions.manager.close(sessionId);
      const told = await take(all, 1 + 3 + 3 + 3 + 2 + 1 + 1);
      assert.equal(told.at(-1)?.type, 'closed');
      const later = await bench.open();
      for (const [i, after] of [begin, ...told.map(({ cursor }) => cursor)].entries()) {
        const resumed = later.events.subscribe({ userId: 'u', after });
        assert.deepEqual(await take(resumed, told.length - i), told.slice(i));
        await resumed.return();
      }
      const after = later.events.subscribe({ sessionId });
      await after.start;
      await sessions.manager.delete(sessionId);
      assert.equal((await take(after, 1))[0]?.type, 'deleted');
      assert.equal((await soon(after.next())).done, true);
    },
  },
  {
    id: 'events/reset',
    promise: 'A cursor after which the window has dropped something is told by a reset first.',
    async check(bench) {
      const sessions = await bench.open({ ...config, sessionTtl: 0 });
      const begin = await sessions.events.subscribe().start;
      const { sessionId } = await sessionOf(sessions);
      const own = await sessions.events.subscribe({ sessionId }).start;
      await sessions.manager.suspend(sessionId);
      await sessions.manager.resume(sessionId);
      bench.clock.advance(1_000);
      await bench.store.collect({ before: bench.clock.now(), limit: 100 });
      await sessions.manager.addTurn(sessionId, say('new'));
      for (const options of [{ after: begin }, { sessionId, after: own }]) {
        const resumed = sessions.events.subscribe(options);
        assert.deepEqual(
          (await take(resumed, 1)).map(({ type }) => type),
          ['reset'],
        );
        assert.deepEqual((await take(resumed, 1)).map(short), ['4 turn new']);
      }
    },
  },
  {
    id: 'events/owners',
    promise: 'An owner is told of its own sessions only, and another one is unknown to it.',
    async check(bench) {
      const sessions = await bench.open(config);
      const owner = { tenantId: 'acme', userId: 'ada' };
      const ada = sessions.as(owner);
      const own = ada.events.subscribe();
      await own.start;
      const others = [{ userId: 'ada' }, { ...owner, userId: 'bob' }, { ...owner, tenantId: 'x' }];
      for (const other of others) {
        const { manager } = sessions.as(other);
        const { sessionId } = await manager.create();
        await manager.addTurn(sessionId, say('foreign'));
        await refused(ada.events.subscribe({ sessionId }).next(), 'notFound');
      }
      const { sessionId } = await ada.manager.create();
      await sessions.manager.addTurn(sessionId, say('own'));
      await ada.manager.delete(sessionId);
      assert.deepEqual((await take(own, 1)).map(short), ['3 deleted']);
    },
  },
];
