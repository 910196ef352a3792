import { fieldOf, optionPlaces, placesOf, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { badCounts } from '../values.ts';

const head = { timelineId: 'CaseSensitive-1.2', seq: 4, turnId: null };
const [addTurn, addTurns] = placesOf(writeOptionPlaces, 'manager.addTurn', 'manager.addTurns');

function field(call: string, name: string): readonly Place[] {
  const places = [...optionPlaces, ...writeOptionPlaces];
  return placesOf(places, call).map((place) => fieldOf(place, name));
}

const counts: readonly Place[] = [
  ...field('manager.getState', 'turns'),
  ...field('manager.turns', 'from'),
  ...field('manager.turns', 'to'),
  ...field('manager.turns', 'limit'),
  ...field('manager.addTurn', 'expectedSeq'),
  ...field('manager.addTurns', 'expectedSeq'),
  ...field('manager.setVariables', 'expectedRevision'),
  ...field('manager.setMetadata', 'expectedRevision'),
  ...field('branches.fork', 'atSeq'),
  {
    id: 'manager.rewind target.toSeq',
    name: 'target.toSeq',
    call: ({ manager }, { sessionId }, toSeq) => manager.rewind(sessionId, { toSeq }),
  },
  {
    id: 'manager.addTurn expectedHead.seq',
    name: 'expectedHead.seq',
    call: ({ manager }, { sessionId }, seq) =>
      manager.addTurn(sessionId, { role: 'user', content: '' }, { expectedHead: { ...head, seq } }),
  },
];

const limits: readonly Place[] = [
  ...field('manager.list', 'limit'),
  ...field('checkpoints.list', 'limit'),
  ...field('branches.list', 'limit'),
];

const noLimits: readonly BadValue[] = [
  ...badCounts,
  { id: '0', value: 0, code: codes.input, shows: ['0', '1000'] },
  { id: '1001', value: 1_001, code: codes.input, shows: ['1001', '1000'] },
];

/** Points past the end of a history of four turns. */
const beyond: readonly BadInputRow[] = rowsOf(
  counts.filter(({ name }) => name === 'atSeq' || name === 'target.toSeq'),
  [5, Number.MAX_SAFE_INTEGER].map((seq) => ({
    id: `${seq} of 4`,
    value: seq,
    code: codes.input,
    shows: [String(seq), '4 turns'],
  })),
);

/** A head as `addTurn` answers it has these three members, and no other. */
const noHeads: readonly BadValue[] = [
  ...[null, 4, 'CaseSensitive-1.2', true, []].map((value) => ({
    id: JSON.stringify(value),
    value,
    code: codes.input,
    shows: ['expected an object'],
  })),
  ...[
    {},
    { seq: 4 },
    { ...head, timelineId: undefined },
    { ...head, timelineId: 2 },
    { ...head, timelineId: null },
    { ...head, timelineId: 'a\0b' },
    { ...head, timelineId: '\ud800' },
    { ...head, turnId: undefined },
    { ...head, turnId: 7 },
    { ...head, turnId: 'a\0b' },
    { ...head, turnId: '\udc00' },
    { ...head, seq: undefined },
    { ...head, revision: 3 },
    { ...head, sessionId: 'CaseSensitive-1' },
  ].map((value) => ({
    id: JSON.stringify(value, (_, member: unknown) =>
      member === undefined
        ? '(nothing)'
        : typeof member === 'string'
          ? member.slice(0, 20)
          : member,
    ),
    value,
    code: codes.input,
  })),
];

const heads: readonly BadInputRow[] = rowsOf(
  [addTurn, addTurns].flatMap((place) =>
    place === undefined ? [] : [fieldOf(place, 'expectedHead')],
  ),
  noHeads,
);

export const countRows: readonly BadInputRow[] = [
  ...rowsOf(counts, badCounts),
  ...rowsOf(limits, noLimits),
  ...beyond,
  ...heads,
];
