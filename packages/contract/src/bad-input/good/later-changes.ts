import assert from 'node:assert/strict';
import type { GoodInputRow } from '../row.ts';
import { readAll, type UntypedSessions } from '../untyped.ts';

// Values are copied when the call is made: what a caller does to them before the answer comes does not count.

interface Given {
  readonly value: { a: unknown };
  readonly sessions: UntypedSessions;
  readonly sessionId: string;
  readonly userId: string;
}

type Late = readonly [
  name: string,
  call: (given: Given) => Promise<unknown>,
  look: (answer: unknown, given: Given) => Promise<unknown>,
];

const one = { role: 'user', content: 'x' };
const stateOf = ({ sessionId, sessions }: Given) => sessions.manager.getState(sessionId);
const lastTurn = async ({ sessionId, sessions }: Given) =>
  (await readAll(sessions.manager.turns(sessionId, { order: 'desc', limit: 1 })))[0];

const late: readonly Late[] = [
  [
    'the metadata of create',
    ({ sessions, userId, value }) => sessions.manager.create({ userId, metadata: value }),
    async (answer) => (answer as { readonly metadata: unknown }).metadata,
  ],
  [
    'the variables of create',
    ({ sessions, userId, value }) => sessions.manager.create({ userId, variables: value }),
    async (answer) => (answer as { readonly variables: unknown }).variables,
  ],
  [
    'the patch of setVariables',
    ({ sessionId, sessions, value }) => sessions.manager.setVariables(sessionId, value),
    async (_, given) => (await stateOf(given)).variables,
  ],
  [
    'the patch of setMetadata',
    ({ sessionId, sessions, value }) => sessions.manager.setMetadata(sessionId, value),
    async (_, given) => (await stateOf(given)).metadata,
  ],
  [
    'the metadata of a checkpoint',
    ({ sessionId, sessions, value }) => sessions.checkpoints.create(sessionId, { metadata: value }),
    async (answer) => (answer as { readonly metadata: unknown }).metadata,
  ],
  [
    'the variables of addTurn',
    ({ sessionId, sessions, value }) =>
      sessions.manager.addTurn(sessionId, one, { variables: value }),
    async (_, given) => (await stateOf(given)).variables,
  ],
  [
    'a turn of addTurns',
    ({ sessionId, sessions, value }) =>
      sessions.manager.addTurns(sessionId, [{ ...one, metadata: value }]),
    async (_, given) => (await lastTurn(given))?.metadata,
  ],
  [
    'the arguments of a tool',
    ({ sessionId, sessions, value }) => {
      const toolCalls = [{ id: 'a', name: 'b', arguments: value }];
      return sessions.manager.addTurn(sessionId, { ...one, toolCalls });
    },
    async (_, given) => (await lastTurn(given))?.toolCalls?.[0]?.arguments,
  ],
  [
    'the content of edit',
    ({ sessionId, sessions, value }) =>
      sessions.manager.edit(sessionId, 'first', [{ type: 'data', name: 'data', json: value }]),
    async (_, given) => {
      const content = (await lastTurn(given))?.content;
      const part = typeof content === 'string' ? undefined : content?.[0];
      return part?.type === 'data' ? part.json : part;
    },
  ],
];

const changes: readonly GoodInputRow[] = late.flatMap(([name, call, look]) =>
  [['another value', 'changed'] as const, ['what is no JSON', 1n] as const].map(([what, next]) => ({
    id: `${name}, changed to ${what} before the answer`,
    call: async (sessions, userId) => {
      const { sessionId } = await sessions.manager.create({ userId });
      await sessions.manager.addTurn(sessionId, { ...one, turnId: 'first' });
      const given = { sessions, sessionId, userId, value: { a: 'given' as unknown } };
      const answer = call(given);
      given.value.a = next;
      assert.deepEqual(await look(await answer, given), { a: 'given' });
    },
  })),
);

const places: GoodInputRow = {
  id: 'targets and options, changed before the answer',
  call: async ({ branches, manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    await manager.addTurns(sessionId, [{ ...one, turnId: 'first' }, one, one]);
    const fork = { atTurn: 'first' };
    const forked = branches.fork(sessionId, 'name', fork);
    fork.atTurn = 'no such turn';
    assert.equal((await forked).forkSeq, 1);
    const target = { toSeq: 2 };
    const rewound = manager.rewind(sessionId, target);
    target.toSeq = 99;
    assert.equal((await rewound).turnCount, 2);
    const query = { userId, metadata: { a: 1 } };
    const listed = manager.list(query);
    query.userId = 'user-42';
    assert.deepEqual((await listed).items, []);
  },
};

/** Options whose fields can be read once. */
function once(fields: Readonly<Record<string, unknown>>): object {
  const options = {};
  for (const [field, value] of Object.entries(fields)) {
    let reads = 0;
    Object.defineProperty(options, field, {
      enumerable: true,
      get() {
        if (++reads > 1) throw new Error(`'${field}' was read again`);
        return value;
      },
    });
  }
  return options;
}

const readOnce: GoodInputRow = {
  id: 'options are read once',
  call: async ({ branches, checkpoints, manager }, userId) => {
    const { sessionId } = await manager.create(once({ userId, metadata: {}, operationId: 'op-0' }));
    const operation = (id: string, more: object = {}): object => once({ operationId: id, ...more });
    await manager.addTurn(
      sessionId,
      one,
      operation('op-1', { expectedSeq: 0, variables: { a: 1 } }),
    );
    await manager.addTurns(sessionId, [one], operation('op-2', { unset: ['a'] }));
    await manager.setVariables(sessionId, { a: 1 }, operation('op-3', { unset: ['b'] }));
    await manager.setMetadata(sessionId, { a: 1 }, operation('op-4', { unset: ['b'] }));
    await checkpoints.create(sessionId, operation('op-5', { label: 'x', metadata: { a: 1 } }));
    await branches.fork(sessionId, 'name', operation('op-6', { atSeq: 1 }));
    await manager.rewind(sessionId, once({ toSeq: 1 }), operation('op-7'));
    await manager.undo(sessionId, operation('op-8'));
    await manager.redo(sessionId, operation('op-9'));
    await manager.suspend(sessionId, operation('op-10'));
    await manager.resume(sessionId, operation('op-11'));
    await manager.close(sessionId, operation('op-12', { reason: 'done' }));
    await manager.getState(sessionId, once({ turns: 'all' }));
    await readAll(manager.turns(sessionId, once({ from: 1, to: 1, limit: 1, order: 'desc' })));
    await manager.list(once({ userId, status: 'closed', limit: 1 }));
    await checkpoints.list(sessionId, once({ limit: 1 }));
    await branches.list(sessionId, once({ limit: 1 }));
    await manager.delete(sessionId, operation('op-13', { withBranches: true }));
  },
};

export const goodLaterChanges: readonly GoodInputRow[] = [...changes, places, readOnce];
