import { createSessions, openPrices } from '@lexigram/ai-session';
import { fieldOf } from '../places.ts';
import { type BadInputRow, type BadValue, codes, place, rowsOf } from '../row.ts';
import { badTexts, noOptions, noStrings, nullValue } from '../values.ts';

const report = place('analytics.report options', 'options', ({ analytics }, _, options) =>
  analytics.report(options),
);
/** A field beside a grouping that is right. */
const beside = (field: string) =>
  place(`analytics.report ${field}`, field, ({ analytics }, _, value) =>
    analytics.report({ groupBy: 'day', [field]: value }),
  );
const cost = place('analytics.cost turns', 'turn', ({ analytics }, _, turns) =>
  analytics.cost(turns),
);

const input = (id: string, value: unknown, ...shows: readonly string[]): BadValue => ({
  id,
  value,
  code: codes.input,
  shows,
});

const groupings: readonly BadInputRow[] = rowsOf(
  [fieldOf(report, 'groupBy')],
  [
    nullValue,
    ...noStrings,
    ...['', 'Day', 'days', 'month', 'session', 'constructor', '__proto__', 'day,model', '*'].map(
      (text) => input(`'${text}'`, text),
    ),
    input('nothing', undefined),
  ].map((bad) => ({ ...bad, shows: ["'day', 'model'"] })),
);

const days: readonly BadInputRow[] = rowsOf(
  [beside('from'), beside('to')],
  [
    nullValue,
    ...noStrings,
    ...[
      ...['', 'today', 'yesterday', '2026', '2026-03', '2026-02-30', '2026-13-01', '2026-3-1'],
      ...['01.03.2026', '2026-03-01 ', '2026-03-01T00:00:00', '2026-03-01T25:00:00Z', '1772323200'],
      ...['+275761-01-01', '10000-01-01', "2026-03-01'", '2026-03-01\n', '０２０２６-03-01'],
    ].map((text) => input(`'${text}'`, text)),
  ],
);

const spans: readonly BadInputRow[] = [
  ['2026-03-02', '2026-03-01'],
  ['2026-03-03T00:00:00Z', '2026-03-02T23:00:00+23:00'],
].map(([from, to]) => ({
  id: `analytics.report: from ${from} to ${to}`,
  call: ({ analytics }) => analytics.report({ groupBy: 'day', from, to }),
  code: codes.input,
  mentions: ['from', 'to', String(from)],
}));

const cursors: readonly BadInputRow[] = rowsOf(
  [beside('cursor')],
  [
    nullValue,
    ...noStrings,
    ...['', 'garbage', '*', btoa('["groups by model",null,null]'), btoa('["groups by day",1,null]')]
      .concat(btoa('["groups by day","x"]'), btoa('["groups by day","a\\u0000b",null]'))
      .concat(btoa('["groups by day","\\ud800",null]'), 'W'.repeat(8_193))
      .map((text, i) => input(`${text.slice(0, 20)} (${i})`, text.replaceAll('=', ''))),
  ],
);

const limits: readonly BadInputRow[] = rowsOf(
  [beside('limit')],
  [0, -1, 1.5, 1_001, '10', Number.NaN, null].map((value) => input(String(value), value)),
);

const names: readonly BadInputRow[] = rowsOf(
  [
    beside('userId'),
    beside('tenantId'),
    place('analytics.user userId', 'userId', ({ analytics }, _, id) => analytics.user(id)),
    place('analytics.user tenantId', 'tenantId', ({ analytics }, _, tenantId) =>
      analytics.user('u', { tenantId }),
    ),
  ],
  badTexts(256),
);

const unknown: readonly BadInputRow[] = [
  ...rowsOf(
    [report],
    ['group_by', 'groupby', 'since', 'until', 'users', 'userID', 'metadata', '__proto'].map(
      (field) => input(`the unknown field '${field}'`, { groupBy: 'day', [field]: 'x' }, field),
    ),
  ),
  ...rowsOf([report], noOptions),
  {
    id: 'analytics.user: an unknown option',
    call: ({ analytics }) => analytics.user('u', { tenant: 'x' }),
    code: codes.input,
    mentions: ['options', "'tenant'"],
  },
  {
    id: 'as(owner).analytics.report: a user',
    call: (sessions) =>
      sessions.as({ userId: 'u' }).analytics.report({ groupBy: 'day', userId: 'v' }),
    code: codes.input,
    mentions: ['userId'],
  },
  {
    id: 'as(owner).analytics.user: another user',
    call: (sessions) => sessions.as({ userId: 'u' }).analytics.user('v'),
    code: codes.input,
    mentions: ['userId'],
  },
];

const uses: readonly BadInputRow[] = rowsOf(
  [cost],
  [
    // A list is right here, and a text is not shown: it may be what was said.
    ...noOptions.filter(({ id }) => id !== 'an array' && id !== 'a string'),
    input('a text', 'text', 'a text of 4 characters'),
    input('an unknown field', { modle: 'm' }, 'modle'),
    input('a turn of a list', [{ model: 'm' }, { usage: { inputTokens: -1 } }], 'turns[1].usage'),
    input('a cost of a text', { cost: '1' }, 'cost'),
    input('a model of a number', { model: 5 }, 'model'),
    {
      id: '10,001 turns',
      value: Array.from({ length: 10_001 }, () => ({})),
      code: codes.limit,
      shows: ['10000', '10001'],
    },
  ],
);

const open = openPrices as (options?: unknown) => Promise<unknown>;
const prices = (value: unknown): unknown => ({ models: { m: value }, catalogue: false });

const priceTables: readonly BadInputRow[] = rowsOf(
  [place('openPrices', 'prices', (_, __, options) => open(options))],
  [
    ...noOptions,
    input('an unknown field', { model: {} }, "'model'"),
    input('a catalogue of a text', { catalogue: 'yes' }, 'catalogue'),
    input('models of a list', { models: [] }, 'models'),
    input('a name with a line feed', { models: { 'a\nb': { input: 1, output: 1 } } }, 'models'),
    ...[null, 5, 'x', [], {}, { input: 1 }, { output: 1 }].map((value, i) =>
      input(`a price (${i})`, prices(value), "models['m']"),
    ),
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1_000_001, 1n].map((value, i) =>
      input(`an input of ${String(value)} (${i})`, prices({ input: value, output: 1 }), '.input'),
    ),
    input('an unknown price', prices({ input: 1, output: 1, cached: 1 }), "'cached'"),
  ],
);

const parts: readonly BadInputRow[] = [null, 42, 'openai', [], () => 1, { priceOf: 1 }].map(
  (given, i) => ({
    id: `createSessions parts: prices (${i})`,
    call: ({ store }) => createSessions({}, { store, prices: given as unknown as boolean }),
    code: codes.input,
    mentions: ['prices'],
  }),
);

export const analyticsRows: readonly BadInputRow[] = [
  ...groupings,
  ...days,
  ...spans,
  ...cursors,
  ...limits,
  ...names,
  ...unknown,
  ...uses,
  ...priceTables,
  ...parts,
];
