import type { Fixture } from '../fixture.ts';
import { fieldOf, optionPlaces, placesOf } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { brokenTexts, noStrings, nullValue } from '../values.ts';

const lists = placesOf(
  optionPlaces,
  'manager.list',
  'checkpoints.list',
  'branches.list',
  'manager.siblings',
  'branches.tree',
);
const cursors = lists.map((place) => fieldOf(place, 'cursor'));

const encode = (text: string): string => btoa(text).replaceAll('=', '');

const noCursors: readonly BadValue[] = [
  nullValue,
  ...noStrings,
  ...[
    ...['', 'garbage', '*', '%', "' OR 1=1 --", '../../etc/passwd', '0', '-1', 'null', '日本'],
    ...['[1,"x"]', encode('{}'), encode('null'), encode('[]'), encode('[null]'), encode('"x"')],
    ...[encode('[1]'), encode('["x",1]'), encode('[1,"x",1]'), encode('[[1],"x"]'), encode('[{}]')],
    // What a cursor holds is bound to a query: it is checked like any other text and number.
    ...[encode('[1e400,"x"]'), encode('[1,"a\\u0000b"]'), encode('[1,"\\ud800"]')],
    ...[encode('["a\\u0000b"]'), encode('["\\udc00"]')],
  ].map((cursor) => ({
    id: JSON.stringify(cursor),
    value: cursor,
    code: codes.input,
    shows: ['nextCursor'],
  })),
  ...brokenTexts.map(({ code, id, value }) => ({ code, id, value })),
  { id: '257 characters', value: 'W'.repeat(257), code: codes.input, shows: ['257 characters'] },
  { id: '1 MiB', value: 'W'.repeat(1_048_576), code: codes.input, shows: ['1048576 characters'] },
];

type Named = keyof Fixture['cursors'];

/** A cursor of another list, or cut off, is refused: never a silent jump. */
function foreign(list: Named, place: Place, others: readonly Named[]): readonly BadInputRow[] {
  const row = (id: string, cursor: (fixture: Fixture) => string): BadInputRow => ({
    id: `${place.id}: ${id}`,
    call: (sessions, fixture) => place.call(sessions, fixture, cursor(fixture)),
    code: codes.input,
    mentions: ['cursor', 'nextCursor'],
  });
  return [
    ...others.map((name) => row(`of the list of ${name}`, (f) => f.cursors[name])),
    ...[1, 2, 3, 4].map((cut) => row(`cut by ${cut}`, (f) => f.cursors[list].slice(0, -cut))),
    row('cut in front', (f) => f.cursors[list].slice(1)),
    row('twice', (f) => f.cursors[list] + f.cursors[list]),
  ];
}

const [ofSessions, ofCheckpoints, ofBranches] = cursors as [Place, Place, Place];

const foreignCursors: readonly BadInputRow[] = [
  ...foreign('sessions', ofSessions, ['checkpoints', 'branches']),
  ...foreign('checkpoints', ofCheckpoints, ['sessions', 'branches', 'foreignCheckpoints']),
  ...foreign('branches', ofBranches, ['sessions', 'checkpoints']),
];

const [query] = placesOf(optionPlaces, 'manager.list') as [Place];
const status = fieldOf(query, 'status');
const filter = fieldOf(query, 'metadata');

const noStatuses: readonly BadValue[] = [
  nullValue,
  ...noStrings,
  ...['', 'Active', 'deleted', 'open', ' active', 'active,closed', '*', 'constructor'].map(
    (text) => ({ id: `'${text}'`, value: text, code: codes.input, shows: [`'${text}'`] }),
  ),
].map((bad) => ({ ...bad, shows: [...(bad.shows ?? []), "'active', 'suspended'"] }));

const noFilters: readonly BadValue[] = [
  nullValue,
  ...noStrings.filter(({ id }) => !/^an object/.test(id)),
  { id: 'a text', value: 'topic', code: codes.input },
  { id: 'a Map', value: new Map([['topic', 'x']]), code: codes.input },
  ...['a', 'a.b', '$gt', "'"].flatMap((key) =>
    [
      [undefined, 'nothing'] as const,
      [Number.NaN, 'NaN'] as const,
      [Number.POSITIVE_INFINITY, 'Infinity'] as const,
      [['x'], 'an array'] as const,
      [{ $gt: 1 }, 'object'] as const,
      [1n, 'bigint'] as const,
      [new Date(0), 'object'] as const,
      [/x/, 'object'] as const,
      [() => 1, 'function'] as const,
      [Symbol('x'), 'symbol'] as const,
    ].map(([wanted, shown], i) => ({
      id: `{ ${JSON.stringify(key)}: ${shown} } (${i})`,
      value: { [key]: wanted },
      code: codes.input,
      shows: [key, shown],
    })),
  ),
  ...brokenTexts.map((bad) => ({ ...bad, id: `{ a: ${bad.id} }`, value: { a: bad.value } })),
  ...brokenTexts.map((bad) => ({
    ...bad,
    id: `{ ${bad.id}: 1 }`,
    value: { [bad.value as string]: 1 },
  })),
  {
    id: '65 keys',
    value: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, i])),
    code: codes.limit,
    shows: ['64', '65', 'keys'],
  },
  {
    id: 'a bad value under a key of 10,000 characters',
    value: { ['k'.repeat(10_000)]: 1n },
    code: codes.input,
  },
  { id: 'a bad value under a key with a line feed', value: { 'a\nb': 1n }, code: codes.input },
];

/** A key that filters by nothing must not be ignored: it would list everybody's sessions. */
const unknownFilters: readonly BadInputRow[] = rowsOf(
  [query],
  ['userID', 'user_id', 'owner', 'filter', 'where', 'sort', 'order', 'offset', 'topic', '$or'].map(
    (field) => ({
      id: `the unknown filter '${field}'`,
      value: { [field]: 'user-42', limit: 10 },
      code: codes.input,
      shows: [`'${field}'`, 'known are', 'userId'],
    }),
  ),
);

const tenantAlone: readonly BadInputRow[] = ['acme', null].map((tenantId) => ({
  id: `manager.list tenantId: ${tenantId} without a userId`,
  call: ({ manager }) => manager.list({ tenantId }),
  code: codes.input,
  mentions: ['tenantId', 'userId'],
}));

const turns = placesOf(optionPlaces, 'manager.turns');

const ranges: readonly BadInputRow[] = rowsOf(turns, [
  { id: 'from 3 to 2', value: { from: 3, to: 2 }, code: codes.input, shows: ['3', '2'] },
  { id: 'from 1 to 0', value: { from: 1, to: 0 }, code: codes.input },
  { id: 'from 5 to 0', value: { from: 5, to: 0 }, code: codes.input },
]).map((row) => ({ ...row, mentions: ['from', 'to'] }));

const orders: readonly BadInputRow[] = rowsOf(
  turns.map((place) => fieldOf(place, 'order')),
  [
    nullValue,
    ...noStrings,
    ...['', 'ASC', 'ascending', 'seq;drop table ai_turns', '__proto__', 'desc '].map((text) => ({
      id: `'${text}'`,
      value: text,
      code: codes.input,
    })),
  ].map((bad) => ({ ...bad, shows: ["'asc' or 'desc'"] })),
);

const amounts: readonly BadInputRow[] = rowsOf(
  placesOf(optionPlaces, 'manager.getState').map((place) => fieldOf(place, 'turns')),
  ['', 'All', 'last', 'some'].map((text) => ({
    id: `'${text}'`,
    value: text,
    code: codes.input,
    shows: ["'none', 'all'", `'${text}'`],
  })),
);

export const listRows: readonly BadInputRow[] = [
  ...rowsOf(cursors, noCursors),
  ...foreignCursors,
  ...rowsOf([status], noStatuses),
  ...rowsOf([filter], noFilters),
  ...unknownFilters,
  ...tenantAlone,
  ...ranges,
  ...orders,
  ...amounts,
];
