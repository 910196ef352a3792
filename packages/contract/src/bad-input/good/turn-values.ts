import assert from 'node:assert/strict';
import { isSessionError } from '@lexigram/ai-session';
import { codes, type GoodInputRow } from '../row.ts';
import { readAll, type UntypedSessions } from '../untyped.ts';

interface Added {
  readonly [field: string]: unknown;
}

/** The turn that comes of these fields. */
async function added({ manager }: UntypedSessions, userId: string, fields: object): Promise<Added> {
  const { sessionId } = await manager.create({ userId });
  const { turn } = await manager.addTurn(sessionId, fields);
  assert.deepEqual(await readAll(manager.turns(sessionId)), [turn]);
  return turn as unknown as Added;
}

const one = { role: 'user', content: 'x' };

function becomes(id: string, fields: object, expected: object): GoodInputRow {
  return {
    id,
    call: async (sessions, userId) => {
      const turn = await added(sessions, userId, { ...one, ...fields });
      const got = Object.fromEntries(Object.keys(expected).map((key) => [key, turn[key]]));
      assert.deepEqual(got, expected);
    },
  };
}

const max = Number.MAX_SAFE_INTEGER;

const numbers: readonly GoodInputRow[] = [
  becomes('no tokens', { usage: {} }, { usage: { totalTokens: 0 } }),
  becomes(
    'tokens are added up',
    { usage: { inputTokens: 3, outputTokens: 4, cacheReadTokens: 2 } },
    { usage: { inputTokens: 3, outputTokens: 4, cacheReadTokens: 2, totalTokens: 7 } },
  ),
  becomes('2^53 − 1 tokens', { usage: { totalTokens: max } }, { usage: { totalTokens: max } }),
  becomes('-0 tokens', { usage: { totalTokens: -0 } }, { usage: { totalTokens: 0 } }),
  ...[
    [0, 0],
    [-0, 0],
    [1e-9, 1e-9],
    [4e-10, 0],
    [0.1 + 0.2, 0.3],
    [999_999.999_999_999, 999_999.999_999_999],
    [1_000_000, 1_000_000],
  ].map(([given, cost], i) => becomes(`the cost ${given} (${i})`, { cost: given }, { cost })),
];

const times: readonly GoodInputRow[] = [
  ['2026-03-01T09:30:00.123Z', '2026-03-01T09:30:00.123Z'],
  ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
  ['2026-03-01T09:30Z', '2026-03-01T09:30:00.000Z'],
  ['2026-03-01T09:30:00.123456789Z', '2026-03-01T09:30:00.123Z'],
  ['2026-03-01T09:30:00+02:00', '2026-03-01T07:30:00.000Z'],
  ['2026-03-01T00:00:00-09:30', '2026-03-01T09:30:00.000Z'],
  ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
].map(([given, timestamp]) => becomes(`the time ${given}`, { timestamp: given }, { timestamp }));

const order: GoodInputRow = {
  id: 'times that go back do not change the order',
  call: async ({ manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    const years = ['2030', '2020', '2020', '1970', '2026'];
    for (const year of years) {
      await manager.addTurn(sessionId, { ...one, timestamp: `${year}-01-01T00:00:00Z` });
    }
    const turns = await readAll(manager.turns(sessionId));
    assert.deepEqual(
      turns.map(({ seq }) => seq),
      [1, 2, 3, 4, 5],
    );
    assert.deepEqual(
      turns.map(({ timestamp }) => timestamp.slice(0, 4)),
      years,
    );
  },
};

/** A getter that gives one answer a few times, and another one from then on. */
function changing(
  after: number,
  field: string,
  first: unknown,
  next: unknown,
  rest: object,
): object {
  let reads = 0;
  return Object.defineProperty({ ...rest }, field, {
    enumerable: true,
    get: () => (reads++ < after ? first : next),
  });
}

const evil = { p: [{ evil: true }] };
const part = { type: 'text', text: 'x' };
const file = { type: 'file', mediaType: 'a/b' };
const call = { id: 'a', name: 'b', arguments: 1 };

type Change = (field: string, first: unknown, next: unknown, rest: object) => object;
type Trick = readonly [name: string, turn: (change: Change) => object, expected: object];

const tricks: readonly Trick[] = [
  ['role', (change) => change('role', 'user', evil, one), { role: 'user' }],
  ['content', (change) => change('content', 'x', evil, one), { content: 'x' }],
  ['state', (change) => change('state', 'complete', evil, one), { state: 'complete' }],
  ['isError', (change) => change('isError', true, evil, one), { isError: true }],
  ['agent', (change) => change('agent', 'a', evil, one), { agent: 'a' }],
  ['cost', (change) => change('cost', 1, -1, one), { cost: 1 }],
  ['metadata', (change) => change('metadata', { a: 1 }, 7, one), { metadata: { a: 1 } }],
  [
    "a part's text",
    (change) => ({ ...one, content: [change('text', 'x', evil, part)] }),
    { content: [part] },
  ],
  [
    "a part's type",
    (change) => ({ ...one, content: [change('type', 'text', 'evil', part)] }),
    { content: [part] },
  ],
  [
    "a part's extra",
    (change) => ({ ...one, content: [change('extra', { a: 1 }, 7, part)] }),
    { content: [{ ...part, extra: { a: 1 } }] },
  ],
  [
    "a file's url",
    (change) => ({ ...one, content: [change('url', 'x', 7, file)] }),
    { content: [{ ...file, url: 'x' }] },
  ],
  [
    'the arguments of a tool',
    (change) => ({ ...one, toolCalls: [change('arguments', 1, 1n, call)] }),
    { toolCalls: [call] },
  ],
  [
    'tokens',
    (change) => ({ ...one, usage: change('totalTokens', 1, -1, {}) }),
    { usage: { totalTokens: 1 } },
  ],
];

/** What was checked is what is stored: else it is refused. */
const readOnce: readonly GoodInputRow[] = tricks.flatMap(([name, turn, expected]) =>
  [1, 2, 3, 4].map((after) => ({
    id: `a getter of ${name} that gives something else after ${after} readings`,
    call: async (sessions, userId) => {
      const given = turn((...trick) => changing(after, ...trick));
      const got = await added(sessions, userId, given).catch((error: unknown) => error);
      if (isSessionError(got)) assert.equal(got.code, codes.input);
      else assert.deepEqual({ ...(got as object), ...expected }, got);
    },
  })),
);

/** An array that iterates over far more than it has. */
function misleading(items: readonly unknown[], more: unknown): unknown {
  return Object.defineProperty([...items], Symbol.iterator, {
    *value() {
      yield* items;
      for (let n = 0; n < 150; n++) yield more;
    },
  });
}

const shapes: readonly GoodInputRow[] = [
  becomes(
    'fields that are undefined are left out',
    { agent: undefined, cost: undefined, metadata: { a: undefined, b: [undefined] } },
    { agent: undefined, metadata: { b: [null] } },
  ),
  {
    id: 'a turn without a prototype',
    call: async (sessions, userId) => {
      const bare: object = Object.assign(Object.create(null), one);
      assert.equal((await added(sessions, userId, bare)).content, 'x');
    },
  },
  {
    id: 'a frozen turn, and a proxy that changes nothing',
    call: async (sessions, userId) => {
      const turn = new Proxy(Object.freeze({ ...one, metadata: Object.freeze({ a: 1 }) }), {});
      assert.deepEqual((await added(sessions, userId, turn)).metadata, { a: 1 });
    },
  },
  {
    id: 'lists are read by their length, whatever they iterate over',
    call: async (sessions, userId) => {
      const parts = misleading([{ type: 'text', text: 'x' }], { type: 'text', text: 'more' });
      const turn = { ...one, content: parts, metadata: { list: misleading([1], 2) } };
      const got = await added(sessions, userId, turn);
      assert.deepEqual([got.content, got.metadata], [[part], { list: [1] }]);
    },
  },
  {
    id: 'a batch is read by its length, whatever it iterates over',
    call: async ({ manager }, userId) => {
      const { sessionId } = await manager.create({ userId });
      await manager.addTurns(sessionId, misleading([one], one));
      assert.equal((await manager.getState(sessionId)).turnCount, 1);
    },
  },
  {
    id: 'a turn that its caller changes afterwards',
    call: async (sessions, userId) => {
      const turn = { ...one, content: [{ type: 'text', text: 'x' }], metadata: { a: [1] } };
      const { sessionId } = await sessions.manager.create({ userId });
      const before = await sessions.manager.addTurn(sessionId, turn);
      turn.metadata.a.push(2);
      turn.content.length = 0;
      assert.deepEqual(await readAll(sessions.manager.turns(sessionId)), [before.turn]);
      assert.deepEqual(before.turn.metadata, { a: [1] });
    },
  },
];

export const goodTurnValues: readonly GoodInputRow[] = [
  ...numbers,
  ...times,
  order,
  ...readOnce,
  ...shapes,
];
