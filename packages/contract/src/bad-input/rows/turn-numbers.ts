import { canary } from '../fixture.ts';
import { ofTurn } from '../places.ts';
import { type BadInputRow, type BadValue, codes, rowsOf } from '../row.ts';
import { badCounts, noStrings, nullValue } from '../values.ts';

const tokenFields = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'totalTokens',
];

const usage = ofTurn('usage', (given) => ({ usage: given }));
const tokens = tokenFields.map((field) =>
  ofTurn(`usage.${field}`, (count) => ({ usage: { [field]: count } })),
);

const noUsages: readonly BadValue[] = [
  nullValue,
  { id: 'a number', value: 12, code: codes.input, shows: ['12'] },
  { id: 'a text', value: 'many', code: codes.input },
  { id: 'an array', value: [1, 2], code: codes.input },
  { id: 'a Map', value: new Map([['inputTokens', 1]]), code: codes.input },
  ...['input_tokens', 'promptTokens', 'cost', '__proto', 'constructor', ''].map((field) => ({
    id: `the unknown field '${field}'`,
    value: { [field]: 1 },
    code: codes.input,
    shows: [`'${field}'`, 'known are inputTokens'],
  })),
  {
    id: 'an own __proto__',
    value: JSON.parse('{"__proto__":{"p":1}}') as unknown,
    code: codes.input,
  },
];

/** Past 2^53 a sum would be rounded in silence. */
const sums: readonly BadInputRow[] = [
  { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1 },
  { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: Number.MAX_SAFE_INTEGER },
].map((given) => ({
  id: `manager.addTurn turn.usage: a sum past 2^53 (${given.outputTokens})`,
  call: ({ manager }, { sessionId }) =>
    manager.addTurn(sessionId, { role: 'user', content: canary, usage: given }),
  code: codes.limit,
  mentions: ['tokens'],
}));

const batchSum: BadInputRow = {
  id: 'manager.addTurns turns: a sum of tokens past 2^53 over the batch',
  call: ({ manager }, { sessionId }) => {
    const turn = { role: 'user', content: canary, usage: { totalTokens: 2 ** 52 } };
    return manager.addTurns(sessionId, [turn, turn, turn]);
  },
  code: codes.limit,
  mentions: ['tokens'],
};

const cost = ofTurn('cost', (given) => ({ cost: given }));

const noCosts: readonly BadValue[] = [
  ...badCounts
    .filter(({ id }) => id !== '1.5' && id !== '2^53')
    .map(({ code, id, value }) => ({ code, id, value, shows: ['USD'] })),
  { id: '-0.01', value: -0.01, code: codes.input, shows: ['-0.01', 'USD'] },
  { id: '-Infinity', value: Number.NEGATIVE_INFINITY, code: codes.input, shows: ['-Infinity'] },
  { id: '1,000,000.01', value: 1_000_000.01, code: codes.limit, shows: ['1000000', 'USD'] },
  { id: '2^53', value: 2 ** 53, code: codes.limit, shows: ['1000000', 'USD'] },
];

const timestamp = ofTurn('timestamp', (given) => ({ timestamp: given }));

const noTimes: readonly BadValue[] = [
  nullValue,
  ...noStrings,
  ...[
    ...['', 'yesterday', 'now', '0', '1767225600000', '2026', '2026-03', '2026-03-01'],
    ...['2026-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '1900-02-29T00:00:00Z'],
    ...['2026-04-31T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z'],
    ...['2026-03-00T00:00:00Z', '2026-03-32T00:00:00Z', '2026-03-01T25:00:00Z'],
    ...['2026-03-01T09:60:00Z', '2026-03-01T09:30:60Z', '2026-03-01T24:00:01Z'],
    ...['+275761-01-01T00:00:00Z', '275761-01-01T00:00:00Z', '-000001-01-01T00:00:00Z'],
    ...['2026-03-01T09:30:00', '2026-03-01 09:30:00Z', '2026-03-01T09:30:00 Z'],
    ...['2026-03-01t09:30:00z', '2026-03-01T09:30:00.Z', '2026-03-01T09:30:00,5Z'],
    ...['2026-03-01T09:30:00+25:00', '2026-03-01T09:30:00+99:99', '2026-03-01T09:30:00+1'],
    ...['2026-03-01T09:30:00CET', '2026-3-1T9:30:00Z', '20260301T093000Z', '2026-W09-7T00:00Z'],
    ...[' 2026-03-01T09:30:00Z', '2026-03-01T09:30:00Z ', '2026-03-01T09:30:00Z\n'],
    ...['Sun, 01 Mar 2026 09:30:00 GMT', '３026-03-01T09:30:00Z', '2026-03-01T09:30:00\0Z'],
  ].map((text) => ({
    id: JSON.stringify(text),
    value: text,
    code: codes.input,
    shows: ['ISO 8601', '2026-03-01T09:30:00.000Z'],
  })),
  { id: '1 MiB', value: '9'.repeat(1_048_576), code: codes.input, shows: ['1048576 characters'] },
];

export const turnNumberRows: readonly BadInputRow[] = [
  ...rowsOf([usage], noUsages),
  ...rowsOf(tokens, badCounts),
  ...sums,
  batchSum,
  ...rowsOf([cost], noCosts),
  ...rowsOf([timestamp], noTimes),
];
