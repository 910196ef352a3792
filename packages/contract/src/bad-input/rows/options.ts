import {
  checkpointOptionPlaces,
  fieldOf,
  optionPlaces,
  placesOf,
  writeOptionPlaces,
} from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { noOptions } from '../values.ts';

/** What only the store may say, and what is misspelt; refused, never ignored. */
const strange = [
  ...['id', 'seq', 'createdAt', 'updatedAt', 'owner', 'parent', 'parentSessionId', 'status'],
  ...['revision', 'head', 'turnCount', 'totalCost', 'lifetimeTokens', 'expiresAt', 'branchName'],
  ...['forkSeq', 'origin', 'operationID', 'constructor', 'toString', ''],
];

function unknownFields(known: readonly string[]): readonly BadValue[] {
  const values: BadValue[] = strange
    .filter((field) => !known.includes(field))
    .map((field) => ({
      id: `the unknown field '${field}'`,
      value: { [field]: 1 },
      code: codes.input,
      shows: [`'${field}'`, 'known are', ...known.slice(0, 1)],
    }));
  const proto = JSON.parse('{"__proto__":{"p":1}}') as unknown;
  return [
    ...values,
    { id: 'an own __proto__', value: proto, code: codes.input, shows: ['__proto__'] },
  ];
}

const create: Place = {
  id: 'manager.create input',
  name: 'input',
  call: ({ manager }, _, input) => manager.create(input),
};

const scopedCreate: Place = {
  id: 'as(owner).manager.create input',
  name: 'input',
  call: (services, _, input) => scoped(services).manager.create(input),
};

const scopedList: Place = {
  id: 'as(owner).manager.list query',
  name: 'query',
  call: (services, _, query) => scoped(services).manager.list(query),
};

const owner: Place = {
  id: 'as owner',
  name: 'owner',
  call: async (services, _, given) => toSessions(services).as(given),
};

const [list] = placesOf(optionPlaces, 'manager.list') as [Place];

const target: Place = {
  id: 'manager.rewind target',
  name: 'target',
  call: ({ manager }, { sessionId }, given) => manager.rewind(sessionId, given),
};

type Scoping = { as(owner: unknown): Parameters<Place['call']>[0] };
const toSessions = (services: unknown): Scoping => services as Scoping;
const scoped = (services: unknown): Parameters<Place['call']>[0] =>
  toSessions(services).as({ userId: 'user-42' });

/** With a valid owner beside it, so that nothing else is wrong. */
const withOwner = (values: readonly BadValue[]): readonly BadValue[] =>
  values.map((bad) => ({
    ...bad,
    value: { ...(bad.value as object), userId: 'user-42' },
    shows: (bad.shows ?? []).filter((text) => text !== '__proto__'),
  }));

/** Within `as(owner)` the owner is left out, and an id is not chosen. */
const scopedFields: readonly BadValue[] = ['userId', 'tenantId', 'sessionId'].map((field) => ({
  id: `the field '${field}' of an owner's own services`,
  value: { [field]: 'user-42' },
  code: codes.input,
  shows: [`'${field}'`],
}));

const flags: readonly BadValue[] = [
  ...['no', 'false', '', 0, 1, null, {}, []].map((value) => ({
    id: JSON.stringify(value),
    value,
    code: codes.input,
  })),
];

const twoPlaces: readonly BadInputRow[] = [
  { fromCheckpoint: 'CaseSensitive-1.c1', atSeq: 1 },
  { fromCheckpoint: 'CaseSensitive-1.c1', atTurn: 'answer' },
  { atTurn: 'answer', atSeq: 2 },
  { fromCheckpoint: 'CaseSensitive-1.c1', atTurn: 'answer', atSeq: 2 },
].map((given) => ({
  id: `branches.fork options: the places ${Object.keys(given).join(' and ')}`,
  call: ({ branches }, { sessionId }) => branches.fork(sessionId, 'name', given),
  code: codes.input,
  mentions: ['options', 'fromCheckpoint', 'atTurn', 'atSeq'],
}));

const noTargets: readonly BadValue[] = [
  { id: 'nothing', value: undefined, code: codes.input, shows: ['toTurn', 'toSeq'] },
  { id: 'empty', value: {}, code: codes.input, shows: ['toTurn', 'toSeq'] },
  {
    id: 'both',
    value: { toTurn: 'answer', toSeq: 2 },
    code: codes.input,
    shows: ['toTurn', 'toSeq'],
  },
  { id: 'toSeq null', value: { toSeq: null }, code: codes.input, shows: ['toSeq', 'null'] },
];

export const optionRows: readonly BadInputRow[] = [
  ...rowsOf([...optionPlaces, ...writeOptionPlaces, ...checkpointOptionPlaces, target], noOptions),
  ...rowsOf(
    optionPlaces.filter((place) => place !== list),
    unknownFields([]),
  ),
  ...rowsOf([list], unknownFields(['status'])),
  ...rowsOf([...writeOptionPlaces, ...checkpointOptionPlaces], unknownFields([])),
  ...rowsOf([target], unknownFields(['toTurn'])),
  ...rowsOf([create], [{ id: 'nothing', value: undefined, code: codes.input }, ...noOptions]),
  ...rowsOf([create], withOwner(unknownFields(['metadata']))),
  ...rowsOf([scopedCreate], [...unknownFields(['metadata']), ...scopedFields]),
  ...rowsOf([scopedList], [...unknownFields(['status']), ...scopedFields.slice(0, 2)]),
  ...rowsOf([owner], noOptions),
  ...rowsOf([owner], withOwner(unknownFields(['tenantId']))),
  ...rowsOf([target], noTargets),
  ...rowsOf(
    placesOf(writeOptionPlaces, 'manager.delete').map((place) => fieldOf(place, 'withBranches')),
    flags,
  ),
  ...twoPlaces,
];
