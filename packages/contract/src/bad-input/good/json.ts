import assert from 'node:assert/strict';
import { nested, nestedArrays } from '../json-places.ts';
import type { GoodInputRow } from '../row.ts';
import { keys, scripts, sized } from '../sized.ts';
import type { UntypedSessions } from '../untyped.ts';

type Json = Readonly<Record<string, unknown>>;

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  toJSON(): object {
    return { cents: this.#cents };
  }
}

const holes: unknown[] = [];
holes[2] = 'x';

/** What comes out is what `JSON.stringify` would have written. */
const values: readonly Json[] = [
  {},
  { a: null, b: true, c: 'text', d: [], e: {}, f: [[{}]] },
  { '': 1, ' ': 2, 'a.b': 3, "'": 4, '"': 5, '\\': 6, '%': 7, '\n': 8, 日本: 9, '😀': 10 },
  { toString: 1, hasOwnProperty: 2, valueOf: 3, toLocaleString: null },
  { 10: 'a', 9: 'b', z: 'c', 1: 'd' },
  { max: 1.7976931348623157e308, min: 5e-324, big: 9_007_199_254_740_992, small: -1e-7, zero: -0 },
  { at: new Date(0), url: new URL('https://example.com/x'), price: new Money(7) },
  { left: undefined, kept: [undefined, holes], none: [null] },
  { lc: 1, type: 'constructor', id: ['Function'], $type: 'x', '@class': 'y' },
  { text: '\u0001\u001b\u007f\u2028\u2029\ufeff\uffff👩‍👩‍👧‍👦' },
];

/** A promise to whoever awaits it. */
const thenable = JSON.parse('{"then":1,"catch":2}') as Json;

const metadataValues = values.filter((value) => !('' in value));

type Door = 'create' | 'set';

async function through(
  { manager }: UntypedSessions,
  userId: string,
  field: 'metadata' | 'variables',
  value: object,
  door: Door,
): Promise<void> {
  const expected: unknown = JSON.parse(JSON.stringify(value));
  const { sessionId } = await manager.create(
    door === 'create' ? { userId, [field]: value } : { userId },
  );
  const call = field === 'metadata' ? 'setMetadata' : 'setVariables';
  if (door === 'set') assert.deepEqual((await manager[call](sessionId, value))[field], expected);
  assert.deepEqual((await manager.getState(sessionId))[field], expected);
}

function passes(
  field: 'metadata' | 'variables',
  name: string,
  value: object,
): readonly GoodInputRow[] {
  return (['create', 'set'] as const).map((door) => ({
    id: `${field}, ${door}: ${name}`,
    call: (sessions, userId) => through(sessions, userId, field, value, door),
  }));
}

/** A Date is a text to JSON, and a text is no level. */
function dated(levels: number): object {
  let value: object = { at: new Date(0) };
  for (let level = 1; level < levels; level++) value = { a: value };
  return value;
}

/** Nothing of this is written. */
const unwritten = Object.fromEntries(
  Array.from({ length: 50_000 }, (_, i) => [`k${i}`, undefined]),
);

const asText = (a: string): object => ({ a });

const limits: readonly GoodInputRow[] = [
  ...scripts.flatMap(({ name, unit }) => [
    ...passes('metadata', `16 KiB, ${name}`, sized(asText, 16_384, unit)),
    ...passes('variables', `64 KiB, ${name}`, sized(asText, 65_536, unit)),
  ]),
  ...passes('metadata', '64 keys', keys(64)),
  ...passes('metadata', 'a key of 64 characters', { ['k'.repeat(64)]: 1 }),
  ...passes('variables', '1,000 keys', keys(1_000)),
  ...passes('variables', 'a key of 60,000 characters', { ['k'.repeat(60_000)]: 1 }),
  ...passes('metadata', '50,000 members that are undefined', unwritten),
  ...passes('variables', '50,000 members that are undefined', unwritten),
  ...passes('metadata', 'a Date in the 8th level', dated(8)),
  ...passes('variables', 'a Date in the 32nd level', dated(32)),
  ...[nested, nestedArrays].flatMap((make, i) => [
    ...passes('metadata', `8 levels (${i})`, make(8)),
    ...passes('variables', `32 levels (${i})`, make(32)),
  ]),
];

/** By one patch after another, up to the limit itself. */
const accumulated: readonly GoodInputRow[] = [
  { field: 'metadata', call: 'setMetadata', bytes: 16_384, count: 64 },
  { field: 'variables', call: 'setVariables', bytes: 65_536, count: 1_000 },
].map(({ bytes, call, count, field }) => ({
  id: `${field} that grow to their limits`,
  call: async ({ manager }: UntypedSessions, userId: string) => {
    const set: typeof manager.setMetadata = (...given) => manager[call as 'setMetadata'](...given);
    const { sessionId } = await manager.create({ userId });
    await set(sessionId, { a: 'x' });
    const rest = sized((b) => ({ a: 'x', b }), bytes) as { readonly b: string };
    const full = await set(sessionId, { b: rest.b });
    assert.equal(JSON.stringify(full[field as 'metadata']).length, bytes);
    await set(sessionId, keys(count - 1), { unset: ['b', 'never set'] });
    const most = (await manager.getState(sessionId))[field as 'metadata'];
    assert.equal(Object.keys(most).length, count);
    // What is replaced takes no room of its own.
    await set(sessionId, { a: 'y' });
    await set(sessionId, { b: 1 }, { unset: ['a'] });
  },
}));

const withTurn: readonly GoodInputRow[] = (['addTurn', 'addTurns'] as const).map((call) => ({
  id: `manager.${call}: variables of 64 KiB with it`,
  call: async ({ manager }, userId) => {
    const turn = { role: 'user', content: 'x' };
    const { sessionId } = await manager.create({ userId });
    const variables = sized(asText, 65_536, '中');
    await manager[call](sessionId, call === 'addTurn' ? turn : [turn], { variables });
    assert.deepEqual((await manager.getState(sessionId)).variables, variables);
  },
}));

const checkpoint: GoodInputRow = {
  id: "a checkpoint's metadata of 16 KiB, 64 keys and 8 levels",
  call: async ({ checkpoints, manager }, userId) => {
    const { sessionId } = await manager.create({ userId });
    for (const metadata of [sized(asText, 16_384, '😀'), keys(64), nested(8)]) {
      const made = await checkpoints.create(sessionId, { metadata });
      assert.deepEqual((await checkpoints.get(made.checkpointId)).metadata, metadata);
    }
  },
};

export const goodJson: readonly GoodInputRow[] = [
  ...passes('metadata', 'the key then', thenable),
  ...passes('variables', 'the key then', thenable),
  ...values.flatMap((value, i) => passes('variables', `value ${i}`, value)),
  ...metadataValues.flatMap((value, i) => passes('metadata', `value ${i}`, value)),
  ...limits,
  ...accumulated,
  ...withTurn,
  checkpoint,
];
