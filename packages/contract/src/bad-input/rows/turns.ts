import { canary } from '../fixture.ts';
import { ofTurn } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { scripts, sized } from '../sized.ts';
import { nothing, nullValue } from '../values.ts';

const turn: Place = {
  id: 'manager.addTurn turn',
  name: 'turn',
  call: ({ manager }, { sessionId }, given) => manager.addTurn(sessionId, given),
};

const one = { role: 'user', content: canary };

/** Values of no use where an object or a list is expected. */
const others: readonly BadValue[] = [
  nullValue,
  { id: 'a number', value: 42, code: codes.input, shows: ['42'] },
  { id: 'true', value: true, code: codes.input, shows: ['true'] },
  { id: 'a function', value: () => one, code: codes.input, shows: ['function'] },
  { id: 'a symbol', value: Symbol(canary), code: codes.input, shows: ['symbol'] },
  { id: 'a bigint', value: 1n, code: codes.input, shows: ['bigint'] },
  { id: 'a Map', value: new Map(Object.entries(one)), code: codes.input },
  { id: 'a Date', value: new Date(0), code: codes.input },
];
/** Content that was put there by mistake. */
const aText: BadValue = { id: 'a text', value: canary, code: codes.input };
const anArray: BadValue = { id: 'an array', value: [canary], code: codes.input };
const anObject: BadValue = {
  id: 'an array-like object',
  value: { 0: canary, length: 1 },
  code: codes.input,
};

class Turn {
  readonly role = 'user';
  readonly content = canary;
}

const strange = [
  ...['id', 'seq', 'createdAt', 'owner', 'status', 'parent', 'origin', 'sessionId', 'revision'],
  ...['userId', 'timelineId', 'Role', 'constructor', 'toJSON', 'text', ''],
];

const turns: readonly BadInputRow[] = [
  ...rowsOf([turn], [nothing, ...others, aText, anArray]),
  ...rowsOf(
    [turn],
    [
      { id: 'an instance of a class', value: new Turn(), code: codes.input },
      { id: 'empty', value: {}, code: codes.input, shows: ['role', 'nothing'] },
      { id: 'an own __proto__', value: protoTurn(), code: codes.input, shows: ['__proto__'] },
      ...strange.map((field) => ({
        id: `the unknown field '${field}'`,
        value: { ...one, [field]: 1 },
        code: codes.input,
        shows: [`'${field}'`, 'known are turnId, role'],
      })),
    ],
  ),
];

function protoTurn(): unknown {
  return JSON.parse('{"role":"user","content":"x","__proto__":{"p":1}}');
}

const choices: readonly BadInputRow[] = [
  ...rowsOf(
    [ofTurn('role', (role) => ({ role }))],
    [nothing, ...others, ...badWords('User', 'model', 'developer', 'constructor', '', ' user')].map(
      (bad) => ({ ...bad, shows: ["'system', 'user', 'assistant' or 'tool'"] }),
    ),
  ),
  ...rowsOf(
    [ofTurn('state', (state) => ({ state }))],
    [...others, ...badWords('done', 'Complete', '')].map((bad) => ({
      ...bad,
      shows: ["'complete' or 'aborted'"],
    })),
  ),
  ...rowsOf(
    [ofTurn('isError', (isError) => ({ role: 'tool', isError }))],
    [...others.filter(({ id }) => id !== 'true'), ...badWords('true', '')].map((bad) => ({
      ...bad,
      shows: ['true or false'],
    })),
  ),
];

function badWords(...words: readonly string[]): readonly BadValue[] {
  return words.map((word) => ({ id: `'${word}'`, value: word, code: codes.input }));
}

const content = ofTurn('content', (given) => ({ content: given }));
const part = ofTurn('content[1]', (given) => ({
  content: [{ type: 'text', text: canary }, given],
}));
const extra = { type: 'text', text: canary };
const file = { type: 'file', mediaType: 'image/png' };
const data = { type: 'data', name: 'data', json: 1 };

const parts: readonly BadInputRow[] = [
  ...rowsOf([content], [anObject, ...sparse(extra)]),
  ...rowsOf([part], [nothing, ...others, aText, anArray]),
  ...rowsOf(
    [part],
    [
      { ...extra, type: undefined },
      { ...extra, type: 'Text' },
      { ...extra, type: 'image_url' },
      { ...extra, type: 'constructor' },
      { ...extra, type: ['text'] },
      { ...extra, json: 1 },
      { ...extra, signature: 'x' },
      { ...file },
      { ...file, url: 'a', data: 'b' },
      { ...file, url: 'a', mediaType: undefined },
      { ...file, url: 'a', name: 'x.png' },
      { ...data, json: undefined },
      { ...data, name: undefined },
      { ...data, text: canary },
      { type: 'reasoning', text: canary, url: 'x' },
      JSON.parse('{"type":"text","text":"x","__proto__":{"p":1}}') as object,
    ].map((value) => ({ id: nameOf(value), value, code: codes.input })),
  ),
];

/** An array with a hole before an item: a hole is nothing, and nothing is no item. */
function sparse(item: unknown): readonly BadValue[] {
  const list: unknown[] = [];
  list[1] = item;
  return [
    { id: 'a hole', value: list, code: codes.input, shows: ['[0]'] },
    { id: 'only holes', value: new Array(3), code: codes.input, shows: ['[0]'] },
    { id: 'undefined in it', value: [item, undefined], code: codes.input, shows: ['[1]'] },
  ];
}

function nameOf(value: object): string {
  const text = JSON.stringify(value, (_, member: unknown) => member ?? '(nothing)');
  return text.replaceAll(canary, '…');
}

const calls = ofTurn('toolCalls', (toolCalls) => ({ toolCalls }));
const call = { id: 'call', name: 'tool', arguments: '{}' };

const toolCalls: readonly BadInputRow[] = [
  ...rowsOf([calls], [...others, aText, anObject, ...sparse(call)]),
  ...rowsOf(
    [calls],
    [
      {
        id: '1,001 calls',
        value: Array.from({ length: 1_001 }, () => call),
        code: codes.limit,
        shows: ['1000', '1001'],
      },
    ],
  ),
  ...rowsOf(
    [ofTurn('toolCalls[0]', (given) => ({ toolCalls: [given] }))],
    [
      nothing,
      ...others,
      aText,
      anArray,
      ...[
        { ...call, type: 'function' },
        { ...call, args: {} },
        { ...call, arguments: undefined },
        { ...call, result: canary },
        JSON.parse('{"id":"a","name":"b","arguments":1,"__proto__":{"p":1}}') as object,
      ].map((value) => ({ id: nameOf(value), value, code: codes.input })),
    ],
  ),
];

const agentLists = ['visibleTo', 'hiddenFrom'].map((field) =>
  ofTurn(field, (names) => ({ [field]: names })),
);

const agents: readonly BadInputRow[] = rowsOf(agentLists, [
  ...others,
  anObject,
  ...sparse('writer'),
  {
    id: '1,001 names',
    value: Array.from({ length: 1_001 }, (_, i) => `agent ${i}`),
    code: codes.limit,
    shows: ['1000', '1001'],
  },
]);

const large: readonly BadInputRow[] = [
  ...scripts.map(({ name, unit }) => ({
    name,
    wrap: (text: string) => ({ ...one, content: text }),
    unit,
  })),
  {
    name: 'in the arguments of a tool',
    wrap: (text: string) => ({ ...one, toolCalls: [{ ...call, arguments: { text } }] }),
    unit: '中',
  },
  { name: 'in metadata', wrap: (text: string) => ({ ...one, metadata: { text } }), unit: '😀' },
  { name: 'in a key', wrap: (text: string) => ({ ...one, metadata: { [text]: 1 } }), unit: 'x' },
].map(({ name, unit, wrap }) => ({
  id: `manager.addTurn turn: 1 MiB and one byte, ${name}`,
  call: ({ manager }, { sessionId }) => manager.addTurn(sessionId, sized(wrap, 1_048_577, unit)),
  code: codes.limit,
  mentions: ['turn', '1048576', '1048577', 'bytes'],
}));

const editLarge: BadInputRow = {
  id: 'manager.edit content: 2 MiB',
  call: ({ manager }, { sessionId, turnId }) =>
    manager.edit(sessionId, turnId, canary.repeat(262_144)),
  code: codes.limit,
  mentions: ['1048576', 'bytes'],
};

const promptLarge: BadInputRow = {
  id: 'manager.create systemPrompt: 1 MiB',
  call: ({ manager }) => manager.create({ userId: 'user-42', systemPrompt: 'x'.repeat(1_048_576) }),
  code: codes.limit,
  mentions: ['systemPrompt', '1048576', 'bytes'],
};

export const turnRows: readonly BadInputRow[] = [
  ...turns,
  ...choices,
  ...parts,
  ...toolCalls,
  ...agents,
  ...large,
  editLarge,
  promptLarge,
];
