import assert from 'node:assert/strict';
import { isSessionError } from '@lexigram/ai-session';
import { type Names, type Services, sessionCalls } from '../calls/session-calls.ts';
import type { Law } from '../law.ts';
import { done, rawSession, rawTurn, refusal } from '../raw.ts';
import { picture, say, sessionOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** What a refused call tells, with the names it was given left out. */
async function told(call: Promise<unknown>, names: Names): Promise<unknown> {
  const error = await call.then(
    () => assert.fail('a stranger was answered'),
    (reason: unknown) => reason,
  );
  if (!isSessionError(error)) throw error;
  let text = JSON.stringify({ ...error, code: error.code, name: error.name, says: error.message });
  for (const [key, name] of Object.entries(names)) text = text.replaceAll(name, `<${key}>`);
  return JSON.parse(text);
}

/** Promise 8: another owner's session does not exist. */
export const ownerLaws: readonly Law[] = [
  {
    id: 'owner/every-call',
    promise:
      "Every call of every service answers another owner's session exactly as an unknown id.",
    async check(bench) {
      const sessions = await bench.open();
      const { branches, manager } = sessions;
      const { head, sessionId } = await sessionOf(sessions, 1);
      const { checkpointId } = await manager.checkpoint(sessionId, { label: 'here' });
      const other = await manager.checkpoint(sessionId);
      await branches.fork(sessionId, 'b');
      await manager.rewind(sessionId, { toSeq: 0 }, { operationId: 'op' });
      await manager.undo(sessionId);
      const before = await picture(bench.store, sessionId);

      const stranger = sessions.as({ userId: 'stranger' });
      const own = await stranger.manager.create({});
      const { checkpointId: ownCheckpointId } = await stranger.checkpoints.create(own.sessionId);
      const ownNames = { ownId: own.sessionId, ownCheckpointId };
      const foreign: Names = {
        ...ownNames,
        sessionId,
        turnId: head.turnId ?? '',
        checkpointId,
        otherCheckpointId: other.checkpointId,
      };
      const unknown: Names = {
        ...ownNames,
        sessionId: 'unknown',
        turnId: 'unknownturn',
        checkpointId: 'unknown.c1',
        otherCheckpointId: 'unknown.c2',
      };
      for (const [service, methods] of Object.entries(sessionCalls)) {
        const prototype: unknown = Object.getPrototypeOf(stranger[service as keyof Services]);
        const names = Object.getOwnPropertyNames(prototype).filter(
          (name) => name !== 'constructor',
        );
        for (const name of names) {
          const rows = methods[name];
          assert.ok(rows !== undefined, `the law has no row for ${service}.${name}`);
          for (const call of rows ?? []) {
            const [one, two] = [
              await told(call(stranger, foreign), foreign),
              await told(call(stranger, unknown), unknown),
            ];
            assert.deepEqual(one, two, `${service}.${name}`);
          }
        }
      }
      assert.deepEqual(await picture(bench.store, sessionId), before);
      assert.equal((await branches.list(sessionId)).items.length, 1);
      // The operation that deleted a session is answered to its owner again, and to nobody else.
      await manager.delete(sessionId, { operationId: 'delete' });
      await manager.delete(sessionId, { operationId: 'delete' });
      const again = stranger.manager.delete(sessionId, { operationId: 'delete' });
      await refused(again, 'notFound', { sessionId });
    },
  },
  {
    id: 'owner/lists',
    promise: "An owner's lists show what is this owner's and nothing else.",
    async check(bench) {
      const sessions = await bench.open();
      const mine = sessions.as({ userId: 'me' });
      const theirs = sessions.as({ userId: 'they' });
      const { sessionId } = await mine.manager.create({ metadata: { k: 1 } });
      const branch = await mine.branches.fork(sessionId, 'b');
      await theirs.manager.create({ metadata: { k: 1 } });
      const ids = async (services: Services, query: object): Promise<readonly string[]> =>
        (await services.manager.list(query)).items.map((item) => item.sessionId).toSorted();
      const expected = [sessionId, branch.sessionId].toSorted();
      assert.deepEqual(await ids(mine, {}), expected);
      assert.deepEqual(await ids(mine, { status: 'active' }), expected);
      assert.deepEqual(await ids(mine, { metadata: { k: 1 } }), expected);
      assert.equal((await ids(theirs, { metadata: { k: 1 } })).length, 1);
      assert.equal((await ids(sessions.as({ userId: 'nobody' }), {})).length, 0);
    },
  },
  {
    id: 'owner/look-alikes',
    promise:
      'Tenants and users are told apart exactly: by no prefix, no pattern, no case, no missing tenant.',
    async check(bench) {
      const sessions = await bench.open();
      const names = ['acme', 'acme-corp', 'acme%', 'acm_', 'ACME', 'acme ', 'null', "a'cme"];
      const owners = [
        { tenantId: null, userId: 'acme' },
        ...names.map((tenantId) => ({ tenantId, userId: 'acme' })),
        ...names.slice(1).map((userId) => ({ tenantId: 'acme', userId })),
      ];
      const own: string[] = [];
      for (const owner of owners) {
        own.push((await sessions.as(owner).manager.create({})).sessionId);
      }
      for (const [i, owner] of owners.entries()) {
        const { manager } = sessions.as(owner);
        const { items } = await manager.list();
        assert.deepEqual(
          items.map(({ sessionId }) => sessionId),
          [own[i]],
        );
        for (const [j, sessionId] of own.entries()) {
          if (j === i) await manager.getState(sessionId);
          else await refused(manager.getState(sessionId), 'notFound');
        }
      }
    },
  },
  {
    id: 'owner/ids-by-case',
    promise: 'Session ids that differ in case only are different sessions.',
    async check(bench) {
      const { manager } = await bench.open();
      await manager.create({ userId: 'u', sessionId: 'Case', metadata: { m: 1 } });
      await refused(manager.getState('case'), 'notFound');
      await manager.create({ userId: 'u', sessionId: 'case' });
      await manager.addTurn('case', say('small'));
      assert.equal((await manager.getState('Case')).turnCount, 0);
      await manager.delete('case');
      assert.deepEqual((await manager.getState('Case')).metadata, { m: 1 });
    },
  },
  {
    id: 'owner/at-the-port',
    promise: 'The store itself tells owners apart: a session of anybody else is unknown to it.',
    async check({ store }) {
      const owner = { tenantId: 't', userId: 'u' };
      const operation = { id: 'op', digest: 'd', keepMs: 1_000 };
      const given = rawSession('s', { owner, operation });
      assert.equal(done(await store.create(given)).replayed, false);
      assert.equal(done(await store.create(given)).replayed, true);
      const strangers = [
        { tenantId: null, userId: 'u' },
        { tenantId: 't', userId: 'v' },
        { tenantId: 'u', userId: 't' },
      ];
      for (const stranger of strangers) {
        assert.equal(await store.session('s', stranger), null);
        refusal(await store.create({ ...given, owner: stranger }), 'exists');
        const guards = { owner: stranger, status: [], revision: 77 };
        refusal(await store.commit('s', { guards, event: { type: 'metadata' } }), 'unknown');
        assert.equal((await store.erase('s', { owner: stranger, limit: 10 })).found, false);
      }
      assert.equal((await store.session('s', owner))?.revision, 1);
      assert.equal((await store.erase('s', { owner, limit: 10 })).found, true);
      refusal(await store.create(given), 'exists');
    },
  },
  {
    id: 'owner/ids-are-no-patterns',
    promise: 'The store takes an id literally: no pattern, prefix or path reaches another session.',
    async check({ store }) {
      for (const id of ['a', 'ab', 'a_c', 'abc', 'A']) {
        await store.create(rawSession(id, { turns: [rawTurn(id)] }));
      }
      const patterns = [
        '*',
        'a*',
        '?',
        '[a]',
        '%',
        'a%',
        '_',
        'a_',
        '',
        'a.1',
        '../a',
        "a' OR '1",
        'b',
      ];
      for (const id of patterns) {
        assert.equal(await store.session(id), null, id);
        refusal(await store.commit(id, { event: { type: 'metadata' } }), 'unknown');
        assert.equal((await store.erase(id, { limit: 10 })).found, false, id);
        assert.deepEqual(await store.findTurns('a', [id]), [], id);
        assert.deepEqual(await store.feed(id, { after: 0, limit: 10 }), [], id);
        assert.deepEqual(await store.records(id, 'metadata', { limit: 10 }), [], id);
      }
      for (const { revision } of await store.list({ limit: 10 })) assert.equal(revision, 1);
      assert.equal((await store.list({ limit: 10 })).length, 5);
    },
  },
];
