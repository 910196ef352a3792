import { jsonPlaces, metadataPlaces, turnJsonPlaces, variablesPlaces } from '../json-places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { brokenTexts, noStrings, nothing, nullValue } from '../values.ts';

class Point {
  readonly x = 1;
}

const throwing = (): never => {
  throw new Error('a fault of the caller');
};

/** What `JSON.stringify` would drop, change or throw at. */
const noJson: readonly BadValue[] = [
  { id: 'NaN', value: Number.NaN, code: codes.input, shows: ['NaN', 'finite'] },
  {
    id: 'Infinity',
    value: Number.POSITIVE_INFINITY,
    code: codes.input,
    shows: ['Infinity', 'finite'],
  },
  {
    id: '-Infinity',
    value: Number.NEGATIVE_INFINITY,
    code: codes.input,
    shows: ['-Infinity', 'finite'],
  },
  { id: 'a bigint', value: 10n, code: codes.input, shows: ['bigint'] },
  { id: 'a function', value: () => 1, code: codes.input, shows: ['function'] },
  { id: 'a class', value: Point, code: codes.input, shows: ['function'] },
  { id: 'a symbol', value: Symbol('s'), code: codes.input, shows: ['symbol'] },
  { id: 'a Map', value: new Map([['a', 1]]), code: codes.input, shows: ['Map', 'plain object'] },
  { id: 'a Set', value: new Set([1]), code: codes.input, shows: ['Set'] },
  { id: 'an instance of a class', value: new Point(), code: codes.input, shows: ['Point'] },
  { id: 'a RegExp', value: /x/, code: codes.input, shows: ['RegExp'] },
  { id: 'an Error', value: new Error('x'), code: codes.input, shows: ['Error'] },
  { id: 'a typed array', value: new Uint8Array(2), code: codes.input, shows: ['Uint8Array'] },
  { id: 'an ArrayBuffer', value: new ArrayBuffer(2), code: codes.input, shows: ['ArrayBuffer'] },
  { id: 'a WeakMap', value: new WeakMap(), code: codes.input, shows: ['WeakMap'] },
  { id: 'a promise', value: Promise.resolve(1), code: codes.input, shows: ['Promise'] },
  { id: 'a Number object', value: Object(1), code: codes.input, shows: ['Number'] },
  { id: 'toJSON that gives a bigint', value: { toJSON: () => 1n }, code: codes.input },
  { id: 'toJSON that gives a function', value: { toJSON: () => throwing }, code: codes.input },
  { id: 'toJSON that throws', value: { toJSON: throwing }, code: codes.input },
  {
    id: 'a getter that throws',
    value: {
      get a() {
        return throwing();
      },
    },
    code: codes.input,
  },
  ...brokenTexts,
  ...brokenTexts.map(({ id, value, ...rest }) => ({
    ...rest,
    id: `a key with ${id}`,
    value: { [value as string]: 1 },
  })),
];

/** The value alone, deep inside, and in an array with holes and neighbours. */
function wrapped(places: readonly Place[]): readonly Place[] {
  return places.flatMap((place) => [
    { ...place, call: (s, f, value) => place.call(s, f, { a: value }) } satisfies Place,
    {
      ...place,
      id: `${place.id}, deep inside`,
      call: (s, f, value) => place.call(s, f, { a: { b: [1, { c: value }] } }),
    } satisfies Place,
  ]);
}

const circle: Record<string, unknown> = {};
circle.a = circle;
const ring: unknown[] = [];
ring.push(ring);
const itself: { toJSON: () => unknown } = { toJSON: () => itself };
const endless = (generation: number): object => ({
  toJSON: () => (generation > 1_000_000 ? 1n : endless(generation + 1)),
});

/** What is awaited is asked for its `then`; this one never answers. */
const thenable = JSON.parse('{"a":1}') as Record<string, unknown>;
thenable['then'] = () => undefined;

const cyclic: readonly BadValue[] = [
  { id: 'an object in itself', value: circle, code: codes.limit, shows: ['levels'] },
  { id: 'an array in itself', value: ring, code: codes.limit, shows: ['levels'] },
  { id: 'two objects in each other', value: pair(), code: codes.limit, shows: ['levels'] },
];

/** `JSON.stringify` asks `toJSON` once. */
const endlessJson: readonly BadValue[] = [
  { id: 'toJSON that gives itself', value: itself, code: codes.input },
  { id: 'toJSON that gives another, without end', value: endless(1), code: codes.input },
];

function pair(): object {
  const a: Record<string, unknown> = {};
  const b = { a };
  a.b = b;
  return a;
}

const refusedKeys: readonly BadInputRow[] = jsonPlaces.flatMap((place) =>
  place.refused.flatMap((key) => {
    const member = JSON.parse(`{"${key}":{"p":1}}`) as object;
    const bad: readonly BadValue[] = [
      { id: `the key ${key}`, value: member, code: codes.input, shows: [key, 'not allowed'] },
      {
        id: `the key ${key} deep inside`,
        value: { a: [{ b: member }] },
        code: codes.input,
        shows: [key, 'not allowed'],
      },
    ];
    return rowsOf([place], bad);
  }),
);

const noObjects: readonly BadValue[] = [
  ...noStrings.filter(({ id }) => !/^an object/.test(id)),
  { id: 'a string', value: 'text', code: codes.input },
  { id: 'a Map', value: new Map(), code: codes.input },
  { id: 'a promise', value: Promise.resolve({ a: 1 }), code: codes.input },
  { id: 'an object with a then that never answers', value: thenable, code: codes.input },
  { id: 'an instance of a class', value: new Point(), code: codes.input },
  { id: 'an object whose toJSON gives a number', value: { toJSON: () => 5 }, code: codes.input },
  { id: 'an object whose toJSON gives an array', value: { toJSON: () => [1] }, code: codes.input },
  { id: 'an object whose toJSON gives a text', value: { toJSON: () => 'x' }, code: codes.input },
  { id: 'an object whose toJSON gives null', value: { toJSON: () => null }, code: codes.input },
].map((bad) => ({ ...bad, id: `in place of an object, ${bad.id}` }));

/** Of these, only the patches must be there. */
const patches = [metadataPlaces[1], variablesPlaces[1]].filter((place) => place !== undefined);
const turnObjects = turnJsonPlaces.filter(({ name }) => !/json|arguments/.test(name));

export const jsonValueRows: readonly BadInputRow[] = [
  ...rowsOf(wrapped(jsonPlaces), [...noJson, ...cyclic, ...endlessJson]),
  ...refusedKeys,
  ...rowsOf([...metadataPlaces, ...variablesPlaces, ...turnObjects], noObjects),
  ...rowsOf(patches, [nothing]),
  ...rowsOf([...metadataPlaces, ...variablesPlaces, ...turnObjects], [nullValue]),
  ...rowsOf(
    turnJsonPlaces.filter(({ name }) => /json|arguments/.test(name)),
    [nothing].map((bad) => ({ ...bad, shows: ['missing'] })),
  ),
];
