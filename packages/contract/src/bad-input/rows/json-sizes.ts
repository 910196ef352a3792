import {
  jsonPlaces,
  metadataPlaces,
  nested,
  nestedArrays,
  variablesPlaces,
} from '../json-places.ts';
import { fieldOf, placesOf, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, type BadValue, codes, rowsOf } from '../row.ts';
import { keys, scripts, sized } from '../sized.ts';
import { badCounts, brokenTexts, noStrings, nullValue } from '../values.ts';

const tooDeep: readonly BadInputRow[] = jsonPlaces.flatMap((place) =>
  [place.depth + 1, 1_000, 1_000_000].flatMap((levels) =>
    rowsOf(
      [place],
      [
        { id: `${levels} levels`, value: nested(levels), code: codes.limit, shows: ['levels'] },
        {
          id: `${levels} levels of arrays`,
          value: nestedArrays(levels),
          code: codes.limit,
          shows: ['levels'],
        },
      ],
    ),
  ),
);

const asText = (a: string): object => ({ a });
const asKey = (key: string): object => ({ [`k${key}`]: 1 });

function tooLarge(max: number): readonly BadValue[] {
  return [
    ...scripts.map(({ name, unit }) => ({
      id: `${max} bytes and one more, ${name}`,
      value: sized(asText, max + 1, unit),
      code: codes.limit,
      shows: [String(max), 'bytes'],
    })),
    {
      id: '4 MiB',
      value: sized(asText, 4_194_304),
      code: codes.limit,
      shows: [String(max), 'bytes'],
    },
  ];
}

function tooMany(max: number): readonly BadValue[] {
  return [max + 1, 4_000].map((count) => ({
    id: `${count} keys`,
    value: keys(count),
    code: codes.limit,
    shows: [String(max), 'keys'],
  }));
}

/** With the key that the fixture has already, what alone would be the limit is one too many. */
const patches = [metadataPlaces[1], variablesPlaces[1], variablesPlaces[2], variablesPlaces[3]];
const accumulated: readonly BadInputRow[] = patches.flatMap((place) => {
  if (place === undefined) return [];
  const [bytes, count] = place.name === 'metadata' ? [16_384, 64] : [65_536, 1_000];
  return rowsOf(
    [place],
    [
      {
        id: `${bytes} bytes beside what is there`,
        value: sized(asText, bytes),
        code: codes.limit,
        shows: [String(bytes), 'bytes'],
      },
      {
        id: `${count} keys beside the one that is there`,
        value: keys(count),
        code: codes.limit,
        shows: [String(count), String(count + 1), 'keys'],
      },
    ],
  );
});

const metadataKeys: readonly BadValue[] = [
  { id: 'an empty key', value: { '': 1 }, code: codes.input, shows: ['1–64', "''"] },
  {
    id: 'a key of 65 characters',
    value: { ['k'.repeat(65)]: 1 },
    code: codes.input,
    shows: ['1–64', '65'],
  },
  {
    id: 'a key of 16 KiB',
    value: sized(asKey, 16_384),
    code: codes.input,
    shows: ['1–64', 'characters'],
  },
];

/** Keys may be odd; what an error shows of them is short and fits a line. */
const oddKeys: readonly BadValue[] = [
  { id: 'a bad value under a key of 10,000 characters', key: 'k'.repeat(10_000) },
  { id: 'a bad value under a key with a line feed', key: 'a\nERROR all is lost' },
  { id: 'a bad value under a key that clears the screen', key: '\u001b[2J' },
].map(({ id, key }) => ({ id, value: { a: { [key]: 1n } }, code: codes.input }));

const unsets = placesOf(
  writeOptionPlaces,
  'manager.setVariables',
  'manager.setMetadata',
  'manager.addTurn',
  'manager.addTurns',
).map((place) => fieldOf(place, 'unset'));

const holes = ['kept', 'x'];
delete holes[0];

const noUnsets: readonly BadValue[] = [
  nullValue,
  ...badCounts.filter(({ id }) => id === 'true' || id === '-1' || id === 'a bigint'),
  { id: 'a string', value: 'topic', code: codes.input, shows: ['an array', "'topic'"] },
  { id: 'an object', value: { 0: 'topic', length: 1 }, code: codes.input, shows: ['an array'] },
  { id: 'a Set', value: new Set(['topic']), code: codes.input, shows: ['an array'] },
  { id: 'holes', value: holes, code: codes.input, shows: ['unset[0]'] },
  { id: 'undefined', value: [undefined], code: codes.input, shows: ['unset[0]'] },
  { id: 'null in it', value: [null], code: codes.input, shows: ['unset[0]', 'null'] },
  ...noStrings.map((bad) => ({ ...bad, id: `[${bad.id}]`, value: ['x', bad.value] })),
  ...brokenTexts.map((bad) => ({ ...bad, id: `[${bad.id}]`, value: ['x', bad.value] })),
];

const tooManyUnset: readonly BadInputRow[] = unsets.flatMap((place) => {
  const max = place.id.startsWith('manager.setMetadata') ? 64 : 1_000;
  const value = Object.keys(keys(max + 1));
  const shows = [String(max), String(max + 1), 'keys'];
  return rowsOf([place], [{ id: `${max + 1} keys`, value, code: codes.limit, shows }]);
});

const both: readonly BadInputRow[] = (['setVariables', 'setMetadata'] as const).map((call) => ({
  id: `manager.${call}: a key set and unset at once`,
  call: ({ manager }, { sessionId }) => manager[call](sessionId, { a: 1 }, { unset: ['a'] }),
  code: codes.input,
  mentions: ['unset', "'a'"],
}));

export const jsonSizeRows: readonly BadInputRow[] = [
  ...tooDeep,
  ...rowsOf(metadataPlaces, [...tooLarge(16_384), ...tooMany(64), ...metadataKeys]),
  ...rowsOf(variablesPlaces, [...tooLarge(65_536), ...tooMany(1_000)]),
  ...accumulated,
  ...rowsOf(jsonPlaces, oddKeys),
  ...rowsOf(unsets, noUnsets),
  ...tooManyUnset,
  ...both,
];
