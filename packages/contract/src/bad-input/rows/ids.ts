import {
  checkpointIdPlaces,
  fieldOf,
  optionPlaces,
  placesOf,
  sessionIdPlaces,
  writeOptionPlaces,
} from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { badNames, brokenTexts, noStrings, nothing, nullValue } from '../values.ts';

/** Texts that can be no session id: paths, patterns, tags of a cluster, quotes, what is too long. */
const noSessionIds: readonly BadValue[] = [
  '',
  ...['../../etc/passwd', '/abs', 'C:\\x', '..', '.', './a', 'a/../b', '%2e%2e%2f', '..%c0%af'],
  ...['*', 'a*', '?', '[a-z]', '{a}', 'x}){y', '{}', 'a:b', 'a.b', 'a b', ' a', 'a ', 'a\n'],
  ...[
    "' OR 1=1 --",
    'a";drop table ai_sessions',
    '$(id)',
    '`id`',
    ['$', '{jndi:x}'].join(''),
    '\u001b[2J',
  ],
  ...['ä', '日本', '😀', 'ａ', 'a\u200b', '\u202ea'],
].map((text) => ({
  id: JSON.stringify(text),
  value: text,
  code: codes.input,
  shows: ['1–128', '0–9'],
}));

const tooLong: readonly BadValue[] = [129, 9_000, 1_048_576].map((length) => ({
  id: `${length} characters`,
  value: 'x'.repeat(length),
  code: codes.input,
  shows: ['1–128', `${length} characters`],
}));

/** Of the right form, and nobody's. */
const unknownIds: readonly BadValue[] = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'],
  ...['no-such-session', '-', '_', '0', 'null', 'undefined', 'x'.repeat(128)],
  // The fixture's own id, but for its case.
  ...['casesensitive-1', 'CASESENSITIVE-1', 'CaseSensitive-1_', 'CaseSensitive-'],
].map((id) => ({ id: JSON.stringify(id), value: id, code: codes.notFound, shows: [id] }));

const createSessionId: Place = {
  id: 'manager.create sessionId',
  name: 'sessionId',
  call: ({ manager }, _, sessionId) => manager.create({ userId: 'user-42', sessionId }),
};

const badSessionIds = [
  ...noStrings,
  nullValue,
  ...noSessionIds,
  ...tooLong,
  ...brokenTexts.map(({ id, value, code }) => ({ id, value, code })),
];

const sessionIds: readonly BadInputRow[] = [
  ...rowsOf(sessionIdPlaces, [nothing, ...badSessionIds]),
  ...rowsOf([createSessionId], badSessionIds),
  ...rowsOf(
    sessionIdPlaces.map((place) => ({ ...place, name: 'Session not found' })),
    unknownIds,
  ),
];

/** What no checkpoint has as its id is answered like the id of a checkpoint that is gone. */
const noCheckpoints: readonly BadValue[] = [
  ...noStrings.map(({ id, value }) => ({ id, value, code: codes.noCheckpoint })),
  { id: 'null', value: null, code: codes.noCheckpoint, shows: ['null'] },
  ...[
    ...['', 'cp-456', '../x', '*', '{a}.c1', 'CaseSensitive-1.c999', 'CaseSensitive-1.c0'],
    ...[
      'CaseSensitive-1.c01',
      'CaseSensitive-1.c1 ',
      'CaseSensitive-1.c+1',
      'CaseSensitive-1.c1e1',
    ],
    ...['casesensitive-1.c1', 'CaseSensitive-1.1', 'CaseSensitive-1', '.c1', '__proto__.c1'],
    ...['constructor.c1', 'CaseSensitive-1.c1.c1', 'CaseSensitive-1.c9007199254740993', '日本.c1'],
  ].map((id) => ({ id: JSON.stringify(id), value: id, code: codes.noCheckpoint, shows: [id] })),
  ...brokenTexts.map(({ id, value }) => ({ id, value, code: codes.noCheckpoint })),
  { id: '1 MiB', value: 'x'.repeat(1_048_576), code: codes.noCheckpoint },
];

const checkpointIds: readonly BadInputRow[] = [
  ...rowsOf(checkpointIdPlaces, noCheckpoints),
  ...rowsOf(
    checkpointIdPlaces.filter(({ id }) => !id.startsWith('branches')),
    [{ id: 'nothing', value: undefined, code: codes.noCheckpoint }],
  ),
  {
    id: "branches.fork fromCheckpoint: another session's",
    call: ({ branches }, f) =>
      branches.fork(f.sessionId, 'name', { fromCheckpoint: f.foreignCheckpointId }),
    code: codes.noCheckpoint,
  },
];

/** Wherever a call names a turn. */
const turnIdPlaces: readonly Place[] = [
  {
    id: 'manager.edit turnId',
    name: 'turnId',
    call: ({ manager }, { sessionId }, turnId) => manager.edit(sessionId, turnId, 'x'),
  },
  {
    id: 'manager.regenerate turnId',
    name: 'turnId',
    call: ({ manager }, { sessionId }, turnId) => manager.regenerate(sessionId, turnId),
  },
  {
    id: 'manager.siblings turnId',
    name: 'turnId',
    call: ({ manager }, { sessionId }, turnId) => manager.siblings(sessionId, turnId),
  },
  {
    id: 'manager.select turnId',
    name: 'turnId',
    call: ({ manager }, { sessionId }, turnId) => manager.select(sessionId, turnId),
  },
  {
    id: 'manager.rewind target.toTurn',
    name: 'target.toTurn',
    call: ({ manager }, { sessionId }, toTurn) => manager.rewind(sessionId, { toTurn }),
  },
  ...placesOf(writeOptionPlaces, 'branches.fork').map((place) => fieldOf(place, 'atTurn')),
];

const unknownTurns: readonly BadValue[] = [
  ...['no such turn', '__proto__', 'constructor', 'toString', 'ANSWER', '%', '*', '0', '-1'],
].map((id) => ({ id, value: id, code: codes.input, shows: [id] }));

const turnIds: readonly BadInputRow[] = [
  ...rowsOf(turnIdPlaces, [nullValue, ...badNames(128), ...unknownTurns]),
  ...rowsOf(turnIdPlaces.slice(0, 2), [nothing]),
];

const operationPlaces = placesOf(writeOptionPlaces, 'manager.edit', 'manager.regenerate');

/** An operation is remembered by all that it was asked for: also by ids of the wrong type. */
const withOperation: readonly BadInputRow[] = [
  ...rowsOf(
    operationPlaces.map((place) => ({
      ...place,
      id: place.id.replace('options', 'turnId with an operationId'),
      name: 'turnId',
      call: (services, fixture, turnId) =>
        place.call(services, { ...fixture, turnId: turnId as string }, { operationId: 'op' }),
    })),
    [nothing, nullValue, ...noStrings],
  ),
  ...rowsOf(
    [
      {
        id: 'checkpoints.restore checkpointId with an operationId',
        name: 'Checkpoint not found',
        call: ({ checkpoints }, _, id) => checkpoints.restore(id, { operationId: 'op' }),
      },
      {
        id: 'checkpoints.delete checkpointId with an operationId',
        name: 'Checkpoint not found',
        call: ({ checkpoints }, _, id) => checkpoints.delete(id, { operationId: 'op' }),
      },
      {
        id: 'branches.fork fromCheckpoint with an operationId',
        name: 'Checkpoint not found',
        call: ({ branches }, { sessionId }, fromCheckpoint) =>
          branches.fork(sessionId, 'name', { fromCheckpoint, operationId: 'op' }),
      },
    ],
    noStrings.map(({ id, value }) => ({ id, value, code: codes.noCheckpoint })),
  ),
];

/** Another owner's session does not exist. */
const foreign: readonly BadInputRow[] = [
  ...sessionIdPlaces.map(
    (place): BadInputRow => ({
      id: `as(owner).${place.id}: somebody else's`,
      call: (sessions, f) => place.call(sessions.as({ userId: 'user-42' }), f, f.foreignId),
      code: codes.notFound,
      mentions: ['Session not found'],
    }),
  ),
  ...checkpointIdPlaces.map(
    (place): BadInputRow => ({
      id: `as(owner).${place.id}: somebody else's`,
      call: (sessions, f) =>
        place.call(sessions.as({ userId: 'user-42' }), f, f.foreignCheckpointId),
      code: codes.noCheckpoint,
    }),
  ),
  ...placesOf(optionPlaces, 'manager.getState').map(
    (place): BadInputRow => ({
      id: 'as(owner with another tenant).manager.getState: one of no tenant',
      call: (sessions, f) =>
        place.call(sessions.as({ userId: 'user-42', tenantId: 'acme' }), f, {}),
      code: codes.notFound,
    }),
  ),
];

/** What is shown of a long id is cut between two characters, not within one. */
const cutPairs: readonly BadInputRow[] = [38, 39, 40, 41, 138, 139, 140, 141].flatMap((length) => {
  const value = 'x'.repeat(length) + '😀'.repeat(20);
  const bad = (code: BadValue['code']): readonly BadValue[] => [
    { id: `an emoji after ${length} characters`, value, code },
  ];
  return [
    ...rowsOf([createSessionId], bad(codes.input)),
    ...rowsOf(checkpointIdPlaces.slice(0, 1), bad(codes.noCheckpoint)),
  ];
});

export const idRows: readonly BadInputRow[] = [
  ...sessionIds,
  ...checkpointIds,
  ...turnIds,
  ...withOperation,
  ...cutPairs,
  ...foreign,
];
