import assert from 'node:assert/strict';
import type { SessionState } from '@lexigram/ai-session';
import { type Call, type Ready, readyForAll, roomy, writingCalls } from '../calls/writing-calls.ts';
import type { Law, LawBench } from '../law.ts';
import { inOneTick } from '../many.ts';
import { picture, say, sessionOf, textsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

const day = 86_400_000;

/** All sessions that there are, as their stores show them. */
async function pictures(bench: LawBench, { sessions }: Ready): Promise<unknown> {
  const { items } = await sessions.manager.list({ limit: 1_000 });
  return Promise.all(items.map(({ sessionId }) => picture(bench.store, sessionId)));
}

const op = { operationId: 'op' };
/** Methods of the manager that write nothing. */
const reads: ReadonlySet<string> = new Set([
  'constructor',
  'getState',
  'turns',
  'siblings',
  'list',
]);
/** Calls that are the same operation by themselves. */
const repeatable: ReadonlySet<string> = new Set(['transfer']);
/** Calls after which the other request of the table would be refused, or makes a session. */
const noOther: ReadonlySet<string> = new Set([
  'suspend',
  'resume',
  'close',
  'create',
  'fork',
  'merge',
  'redo',
  'regenerate',
]);

/** Every call that writes takes an operationId: the same operation again is answered as before. */
export const operationLaws: readonly Law[] = [
  {
    id: 'operations/again',
    promise:
      'Each call that writes, made again as the same operation, is answered as before, and nothing is written.',
    async check(bench) {
      const { sessions } = await readyForAll(bench);
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(sessions.manager));
      for (const name of methods) {
        assert.ok(
          reads.has(name) || repeatable.has(name) || name in writingCalls,
          `the law has no row for ${name}`,
        );
      }
      for (const [name, [call]] of Object.entries(writingCalls)) {
        const on = await readyForAll(bench);
        const first = await call(on, { operationId: name });
        const before = await pictures(bench, on);
        assert.deepEqual(await call(on, { operationId: name }), first, name);
        assert.deepEqual(await pictures(bench, on), before, name);
      }
    },
  },
  {
    id: 'operations/other-request',
    promise: 'Another request under the same operation id is a conflict, and nothing is written.',
    async check(bench) {
      for (const [name, [call, other]] of Object.entries(writingCalls)) {
        if (other === null) continue;
        const on = await readyForAll(bench);
        await call(on, { operationId: name });
        const before = await pictures(bench, on);
        await refused(other(on, { operationId: name }), 'conflict', { reason: 'operation' });
        assert.deepEqual(await pictures(bench, on), before, name);
      }
    },
  },
  {
    id: 'operations/of-a-session',
    promise:
      'An operation is its session’s: the same through all sessions as through its owner’s, and another one in another session.',
    async check(bench) {
      const sessions = await bench.open(roomy);
      const { manager } = sessions;
      const own = sessions.as({ userId: 'u' });
      const { sessionId } = await manager.create({ userId: 'u' });
      const { sessionId: other } = await manager.create({ userId: 'u' });
      const added = await manager.addTurn(sessionId, say('hello'), op);
      assert.deepEqual(await own.manager.addTurn(sessionId, say('hello'), op), added);
      await manager.addTurn(other, say('another'), op);
      assert.deepEqual(await textsOf(manager, sessionId), ['hello']);
      assert.deepEqual(await textsOf(manager, other), ['another']);

      const fork = { operationId: 'fork' };
      const branch = await sessions.branches.fork(sessionId, 'b', fork);
      assert.deepEqual(await own.branches.fork(sessionId, 'b', fork), branch);
      const second = await sessions.branches.fork(other, 'b', fork);
      assert.equal(second.parentSessionId, other);
    },
  },
  {
    id: 'operations/as-before',
    promise:
      'The answer is that of then, whatever happened since: other turns, moves, patches, an end.',
    async check(bench) {
      for (const [name, [call]] of Object.entries(writingCalls)) {
        if (name === 'delete' || name === 'close') continue;
        const on = await readyForAll(bench);
        const { checkpoints, manager } = on.sessions;
        const first = await call(on, { operationId: name });
        const made = (first as Partial<SessionState> | undefined)?.sessionId ?? on.sessionId;
        if ((await manager.getState(on.sessionId)).status === 'suspended') {
          await manager.resume(on.sessionId);
        }
        for (const id of new Set([made, on.sessionId])) {
          await manager.addTurn(id, say('since'), { variables: { since: 1 } });
          await manager.rewind(id, { toSeq: 0 });
          await manager.setMetadata(id, { since: 1 });
        }
        const { items } = await checkpoints.list(on.sessionId);
        for (const { checkpointId } of items) await checkpoints.delete(checkpointId);
        await manager.close(on.sessionId);
        assert.deepEqual(await call(on, { operationId: name }), first, name);
      }
    },
  },
  {
    id: 'operations/fork-when-full',
    promise:
      'A fork that was made is answered again also when its parent has filled its cap since.',
    async check(bench) {
      const sessions = await bench.open({ maxTurnsPerSession: 3 });
      const { branches, manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 2);
      const first = await branches.fork(sessionId, 'b', op);
      await manager.addTurn(sessionId, say('fills it'));
      assert.deepEqual(await branches.fork(sessionId, 'b', op), first);
    },
  },
  {
    id: 'operations/kept-a-day',
    promise: 'An operation is remembered for 24 hours; after that its id is free for any request.',
    async check(bench) {
      for (const [name, [call, other]] of Object.entries(writingCalls)) {
        if (other === null) continue;
        const on = await readyForAll(bench);
        const first = await call(on, { operationId: name });
        bench.clock.advance(day - 1);
        assert.deepEqual(await call(on, { operationId: name }), first, name);
        bench.clock.advance(1);
        if (noOther.has(name)) continue;
        const { revision } = await on.sessions.manager.getState(on.sessionId);
        await other(on, { operationId: name });
        const after = await on.sessions.manager.getState(on.sessionId);
        assert.equal(after.revision, revision + 1, `${name}: the other request is carried out`);
      }
    },
  },
  {
    id: 'operations/new-sessions-after-a-day',
    promise: 'After 24 hours the operation that made a session makes another one.',
    async check(bench) {
      const on = await readyForAll(bench);
      for (const name of ['create', 'fork']) {
        const [call] = writingCalls[name] as readonly [Call, Call];
        const ids = new Set<unknown>();
        for (let n = 0; n < 3; n++) {
          ids.add(((await call(on, { operationId: name })) as SessionState).sessionId);
          bench.clock.advance(day);
        }
        assert.equal(ids.size, 3, name);
      }
    },
  },
  {
    id: 'operations/before-the-rest',
    promise:
      'An operation is recognised before the session is judged as ended, unexpected or full.',
    async check(bench) {
      const sessions = await bench.open({ ...roomy, maxTurnsPerSession: 3 });
      const { manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      const options = { expectedHead: head, ...op };
      const first = await manager.addTurn(sessionId, say('x'), options);
      await manager.addTurn(sessionId, say('fills it'));
      assert.deepEqual(await manager.addTurn(sessionId, say('x'), options), first);
      const others: (() => Promise<unknown>)[] = [
        () => manager.addTurn(sessionId, say('y'), op),
        () => manager.undo(sessionId, op),
        () => manager.rewind(sessionId, { toSeq: 99 }, op),
        () => manager.setMetadata(sessionId, { m: 1 }, op),
        () => manager.resume(sessionId, op),
        () => sessions.checkpoints.create(sessionId, op),
      ];
      for (const other of others) await refused(other(), 'conflict', { reason: 'operation' });
    },
  },
  {
    id: 'operations/same-tick',
    promise:
      'The same operation made many times in the same tick is done once, and all get the same answer.',
    async check(bench) {
      for (const [name, [call]] of Object.entries(writingCalls)) {
        if (name === 'delete') continue;
        const on = await readyForAll(bench);
        const { revision } = await on.sessions.manager.getState(on.sessionId);
        const { lost, won } = await inOneTick(6, () => call(on, { operationId: name }));
        assert.deepEqual(lost, [], name);
        for (const answer of won) assert.deepEqual(answer, won[0], name);
        const after = await on.sessions.manager.getState(on.sessionId);
        const own = ['create', 'fork', 'resume'].includes(name);
        assert.equal(after.revision, revision + (own ? 0 : 1), name);
        const { items } = await on.sessions.branches.list(on.sessionId);
        assert.equal(items.length, name === 'fork' ? 2 : 1);
      }
    },
  },
  {
    id: 'operations/refused',
    promise: 'An operation that was refused wrote nothing, so that it can be tried again.',
    async check(bench) {
      const sessions = await bench.open(roomy);
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const { turnCount } = await manager.suspend(sessionId);
      await refused(manager.addTurn(sessionId, say('x'), op), 'transition');
      await manager.resume(sessionId);
      const { seq } = await manager.addTurn(sessionId, say('x'), op);
      assert.equal(seq, turnCount + 1);
      assert.deepEqual(await textsOf(manager, sessionId), ['t1', 'x']);
    },
  },
];
