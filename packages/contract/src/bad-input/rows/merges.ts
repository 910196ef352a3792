import { SelectiveMerge, SummaryMerge } from '@lexigram/ai-session';
import { fieldOf, placesOf, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { badNames, noStrings, nullValue } from '../values.ts';

const places = placesOf(writeOptionPlaces, 'branches.merge');
const field = (name: string): readonly Place[] => places.map((place) => fieldOf(place, name));

const noStrategies: readonly BadValue[] = [
  nullValue,
  ...noStrings,
  { id: 'a name', value: 'append', code: codes.input, shows: ["'append'"] },
  { id: 'one whose merge is no function', value: { merge: true }, code: codes.input },
  { id: 'the class', value: SelectiveMerge, code: codes.input, shows: ['function'] },
];

const noDeciders: readonly BadValue[] = [
  nullValue,
  ...noStrings.filter(({ id }) => id !== 'a function'),
  ...['', 'Branch', 'both', 'branch ', 'toString'].map((text) => ({
    id: `'${text}'`,
    value: text,
    code: codes.input,
    shows: ["'branch', 'parent', 'error'"],
  })),
];

const noHeads: readonly BadValue[] = [4, true, 'x.1', [], {}, { timelineId: 'x.1', seq: -1 }].map(
  (value) => ({ id: JSON.stringify(value), value, code: codes.input }),
);

/** What the classes of strategies are made with. */
const parts: readonly Place[] = [
  {
    id: 'SelectiveMerge turnIds',
    name: 'turnIds',
    call: async (_, __, turnIds) => new SelectiveMerge(turnIds as string[]),
  },
];
const items: readonly Place[] = parts.map((part) => ({
  ...part,
  id: `${part.id}[1]`,
  name: 'turnIds[1]',
  call: (services, fixture, id) => part.call(services, fixture, ['answer', id]),
}));
const summarise: Place = {
  id: 'SummaryMerge summarise',
  name: 'summarise',
  call: async (_, __, given) => new SummaryMerge(given as () => string),
};
const summary: Place = {
  id: "the answer of SummaryMerge's summarise",
  name: '',
  call: async ({ branches, manager }, { sessionId }, answer) => {
    const { items: found } = await branches.list(sessionId);
    const { sessionId: branchId } = found[0] as { readonly sessionId: string };
    await manager.getState(branchId);
    const strategy = new SummaryMerge(async () => answer as string);
    return branches.merge(branchId, sessionId, { strategy });
  },
};

export const mergeRows: readonly BadInputRow[] = [
  ...rowsOf(field('strategy'), noStrategies),
  ...rowsOf(field('onConflict'), noDeciders),
  ...rowsOf(
    places.map((place) => ({ ...fieldOf(place, 'expectedHead'), name: 'expectedHead' })),
    [nullValue, ...noHeads],
  ),
  ...rowsOf(
    parts,
    [nullValue, ...noStrings].filter(({ id }) => id !== 'an array'),
  ),
  ...rowsOf(items, [nullValue, ...badNames(128)]),
  ...rowsOf(
    [summarise],
    [nullValue, ...noStrings].filter(({ id }) => id !== 'a function'),
  ),
  ...rowsOf(
    [summary],
    [nullValue, ...noStrings.filter(({ id }) => !id.startsWith('an object'))].map(
      ({ code, id, value }) => ({ code, id, value }),
    ),
  ),
  {
    id: 'branches.merge branchId: the session itself',
    call: ({ branches }, { sessionId }) => branches.merge(sessionId, sessionId),
    code: codes.input,
    mentions: ['branchId'],
  },
  {
    id: 'branches.merge branchId: one of another family',
    call: ({ branches }, { sessionId, suspendedId }) => branches.merge(sessionId, suspendedId),
    code: codes.input,
    mentions: ['branchId', 'in common'],
  },
];
