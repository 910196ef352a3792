import assert from 'node:assert/strict';
import { nested, nestedArrays } from '../json-places.ts';
import type { GoodInputRow } from '../row.ts';
import { scripts, sized } from '../sized.ts';
import type { UntypedSessions } from '../untyped.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = (content: string): Fields => ({ role: 'user', content });

/** A turn comes out as it went in: of `addTurn`, of `turns`, and of a repeat. */
async function stored({ manager }: UntypedSessions, userId: string, turn: Fields): Promise<void> {
  const { sessionId } = await manager.create({ userId });
  const given = { turnId: 'the turn', ...turn };
  const added = await manager.addTurn(sessionId, given);
  assert.deepEqual({ ...added.turn, ...JSON.parse(JSON.stringify(given)) }, added.turn);
  const { turns } = (await manager.getState(sessionId, { turns: 'all' })) as unknown as {
    readonly turns: readonly unknown[];
  };
  assert.deepEqual(turns, [added.turn]);
  const again = await manager.addTurn(sessionId, given);
  assert.deepEqual([again.duplicate, again.turn], [true, added.turn]);
}

function passes(id: string, turn: Fields): GoodInputRow {
  return { id, call: (sessions, userId) => stored(sessions, userId, turn) };
}

const contents: readonly GoodInputRow[] = [
  ...['', ' ', '\n', '\t\r\n', '\u0001\u001b[2J', '\u007f\u0085', '\u2028\u2029', '\ufeffx'],
  ...[
    '\uffff\ufdd0',
    '\u202eabc',
    '👩‍👩‍👧‍👦',
    'e\u0301é',
    '\u{10ffff}',
    '�',
    '%_\\\'"{}[]*`$',
    "' OR 1=1 --",
  ],
  ...['<img src=x onerror=alert(1)>', '</script>', '{"lc":1}', 'null', '__proto__'],
].map((content) => passes(`the content ${JSON.stringify(content)}`, { role: 'user', content }));

const roles: readonly GoodInputRow[] = ['system', 'user', 'assistant', 'tool'].flatMap((role) => [
  passes(`no content in the role ${role}`, { role, content: '' }),
  passes(`no parts in the role ${role}`, { role, content: [] }),
]);

/** Data that other libraries would have brought to life, and addresses that nobody fetches. */
const opaque: readonly unknown[] = [
  { lc: 1, type: 'secret', id: ['OPENAI_API_KEY'] },
  { lc: 2, type: 'constructor', id: ['Function'], args: ['return process'] },
  { $type: 'Date', $date: '2026-01-01' },
  { '@class': 'java.lang.Runtime', __class__: 'os.system' },
  { toString: 1, valueOf: null, hasOwnProperty: true },
  JSON.parse('{"then":"no promise"}') as unknown,
  { constructor: { prototype: { p: 1 } }, prototype: {} },
  { '': { '': '' }, ' ': 0, 'a.b': 1, '$."a"': 2, 2: 'two', 1: 'one', z: 3 },
  [1e308, 5e-324, 0.1, -1.5, 1e21],
  'text',
  12,
  true,
  null,
];

const json: readonly GoodInputRow[] = [
  ...opaque.map((value) =>
    passes(`opaque: ${JSON.stringify(value)}`, {
      role: 'assistant',
      content: [
        { type: 'data', name: 'data', json: value },
        { type: 'file', mediaType: 'image/png', url: 'file:///etc/passwd', extra: { value } },
        { type: 'file', mediaType: 'image/png', url: 'http://169.254.169.254/' },
      ],
      toolCalls: [
        { id: 'a', name: 'tool', arguments: value },
        { id: 'b', name: 'tool', arguments: JSON.stringify(value) },
      ],
      metadata: { value },
    }),
  ),
  passes('__proto__ in the arguments of a tool', {
    role: 'assistant',
    content: '',
    toolCalls: [
      {
        id: 'a',
        name: 'tool',
        arguments: JSON.parse('{"__proto__":{"p":1},"a":[{"__proto__":{"p":{"__proto__":2}}}]}'),
      },
    ],
  }),
];

const call = (given: unknown): Fields => ({ id: 'a', name: 'tool', arguments: given });

const limits: readonly GoodInputRow[] = [
  ...scripts.map(({ name, unit }) => passes(`1 MiB, ${name}`, sized(text, 1_048_576, unit))),
  passes(
    '1 MiB in the arguments of a tool',
    sized((arg) => ({ role: 'user', content: '', toolCalls: [call({ arg })] }), 1_048_576, '中'),
  ),
  passes(
    '1 MiB in a key of metadata',
    sized((key) => ({ role: 'user', content: '', metadata: { [key]: 1 } }), 1_048_576),
  ),
  ...[nested, nestedArrays].flatMap((make, i) => [
    passes(`32 levels in metadata (${i})`, { role: 'user', content: '', metadata: make(31) }),
    passes(`32 levels in a part (${i})`, {
      role: 'user',
      content: [
        { type: 'text', text: '', extra: make(29) },
        { type: 'data', name: 'data', json: make(29) },
      ],
    }),
    passes(`32 levels in the arguments of a tool (${i})`, {
      role: 'user',
      content: '',
      toolCalls: [call(make(29))],
    }),
  ]),
  passes('fields of their full length', {
    role: 'assistant',
    content: [
      { type: 'file', mediaType: 'm'.repeat(256), data: '' },
      { type: 'data', name: 'n'.repeat(256), json: null },
      { type: 'reasoning', text: '', signature: '' },
    ],
    agent: 'a'.repeat(128),
    name: 'n'.repeat(256),
    model: 'm'.repeat(256),
    provider: 'p'.repeat(256),
    toolCallId: 't'.repeat(512),
    toolCalls: [{ id: 'i'.repeat(512), name: 'n'.repeat(512), arguments: '' }],
    visibleTo: ['v'.repeat(128)],
    hiddenFrom: ['h'.repeat(128)],
  }),
  passes('1,000 calls of tools, and 1,000 agents that see them', {
    role: 'assistant',
    content: '',
    toolCalls: Array.from({ length: 1_000 }, (_, i) => ({ ...call(i), id: `call ${i}` })),
    visibleTo: Array.from({ length: 1_000 }, (_, i) => `agent ${i}`),
    hiddenFrom: [],
  }),
];

const batches: readonly GoodInputRow[] = [
  ...[1, 100].map((count) => ({ id: `a batch of ${count}`, turns: many(count) })),
  {
    id: 'a batch of 4 MiB',
    turns: [
      ...Array.from({ length: 4 }, () => sized(text, 1_000_000, '😀')),
      sized(text, 4_194_304 - 4_000_000, '中'),
    ],
  },
].map(({ id, turns }) => ({
  id,
  call: async ({ manager }: UntypedSessions, userId: string) => {
    const { sessionId } = await manager.create({ userId });
    const added = await manager.addTurns(sessionId, turns);
    assert.deepEqual([added.turns.length, added.turnCount], [turns.length, turns.length]);
    for (const [i, { content, seq }] of added.turns.entries()) {
      assert.equal(seq, i + 1);
      assert.equal(content, turns[i]?.content);
    }
  },
}));

function many(count: number): readonly Fields[] {
  return Array.from({ length: count }, (_, i) => text(`turn ${i}`));
}

export const goodTurns: readonly GoodInputRow[] = [
  ...contents,
  ...roles,
  ...json,
  ...limits,
  ...batches,
];
