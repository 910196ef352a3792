import { canary } from '../fixture.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { sized } from '../sized.ts';
import { nothing, nullValue } from '../values.ts';

const batch: Place = {
  id: 'manager.addTurns turns',
  name: 'turns',
  call: ({ manager }, { sessionId }, turns) => manager.addTurns(sessionId, turns),
};

const turn = { role: 'user', content: canary };
const many = (count: number): readonly object[] => Array.from({ length: count }, () => turn);

function holed(): readonly unknown[] {
  const turns: unknown[] = [turn];
  turns[2] = turn;
  return turns;
}

function* generated(): Generator<object> {
  yield turn;
}

const noBatches: readonly BadValue[] = [
  nothing,
  nullValue,
  { id: 'one turn', value: turn, code: codes.input, shows: ['an array'] },
  { id: 'a text', value: canary, code: codes.input, shows: ['an array'] },
  { id: 'a number', value: 1, code: codes.input, shows: ['an array', '1'] },
  { id: 'a Set', value: new Set([turn]), code: codes.input, shows: ['an array'] },
  { id: 'a generator', value: generated(), code: codes.input, shows: ['an array'] },
  { id: 'array-like', value: { 0: turn, length: 1 }, code: codes.input, shows: ['an array'] },
  { id: 'empty', value: [], code: codes.input, shows: ['empty'] },
  { id: '101 turns', value: many(101), code: codes.limit, shows: ['100', '101', 'turns'] },
  { id: '10,000 turns', value: many(10_000), code: codes.limit, shows: ['100', '10000'] },
  { id: 'a hole', value: holed(), code: codes.input, shows: ['turns[1]'] },
  { id: 'only holes', value: new Array(3), code: codes.input, shows: ['turns[0]'] },
  { id: 'null in it', value: [turn, null], code: codes.input, shows: ['turns[1]', 'null'] },
  { id: 'a batch in it', value: [turn, [turn]], code: codes.input, shows: ['turns[1]'] },
];

/** One that cannot be stored, at any place among 100: none is. */
const oneBad: readonly BadInputRow[] = [
  { at: 0, bad: { role: 'nobody', content: canary } },
  { at: 41, bad: { role: 'user', content: 'a\0b' } },
  { at: 99, bad: { role: 'user', content: canary, seq: 100 } },
  { at: 99, bad: { role: 'user', content: canary, cost: -1 } },
  { at: 50, bad: { role: 'user', content: canary, timestamp: '2026-02-30T00:00:00Z' } },
].map(({ at, bad }) => ({
  id: `manager.addTurns turns: 100 with a bad one at ${at}: ${JSON.stringify(bad)}`,
  call: ({ manager }, { sessionId }) => manager.addTurns(sessionId, many(100).with(at, bad)),
  code: codes.input,
  mentions: [`turns[${at}]`],
}));

const oneLarge: BadInputRow = {
  id: 'manager.addTurns turns: 100 with one of 1 MiB and a byte',
  call: ({ manager }, { sessionId }) => {
    const large = sized((content) => ({ role: 'user', content }), 1_048_577);
    return manager.addTurns(sessionId, many(100).with(7, large));
  },
  code: codes.limit,
  mentions: ['turns[7]', '1048576', '1048577'],
};

const tooLarge: readonly BadInputRow[] = ['x', '中', '😀'].map((unit) => ({
  id: `manager.addTurns turns: 4 MiB and one byte in all, of ${unit}`,
  call: ({ manager }, { sessionId }) => {
    const wrap = (content: string) => ({ role: 'user', content });
    const turns = [1, 2, 3, 4].map(() => sized(wrap, 1_000_000, unit));
    turns.push(sized(wrap, 4_194_305 - 4_000_000, unit));
    return manager.addTurns(sessionId, turns);
  },
  code: codes.limit,
  mentions: ['turns', '4194304', '4194305', 'bytes'],
}));

const sameId: readonly BadInputRow[] = [
  ['again', 'again'],
  ['__proto__', '__proto__'],
].map(([first, second]) => ({
  id: `manager.addTurns turns: the id '${first}' twice`,
  call: ({ manager }, { sessionId }) =>
    manager.addTurns(sessionId, [{ ...turn, turnId: first }, turn, { ...turn, turnId: second }]),
  code: codes.input,
  mentions: ['turns[2].turnId', 'turns[0]'],
}));

/** An id that is taken is no input error, and writes as little. */
const taken: readonly BadInputRow[] = [
  {
    id: 'manager.addTurn turn.turnId: taken by other content',
    call: ({ manager }, { sessionId }) =>
      manager.addTurn(sessionId, { role: 'user', content: 'other', turnId: 'answer' }),
    code: codes.conflict,
    mentions: ['answer'],
  },
  {
    id: 'manager.addTurns turns: one id of two is taken',
    call: ({ manager }, { sessionId }) =>
      manager.addTurns(sessionId, [turn, { ...turn, turnId: 'kept' }]),
    code: codes.conflict,
    mentions: ['kept'],
  },
  {
    id: 'manager.create sessionId: taken',
    call: ({ manager }, { sessionId }) => manager.create({ userId: 'user-42', sessionId }),
    code: codes.conflict,
    mentions: ['CaseSensitive-1'],
  },
  ...(['manager', 'checkpoints'] as const).map(
    (service): BadInputRow => ({
      id: `${service} label: it stands at another point`,
      call: ({ checkpoints, manager }, { label, sessionId }) =>
        service === 'manager'
          ? manager.checkpoint(sessionId, { label })
          : checkpoints.create(sessionId, { label }),
      code: codes.conflict,
      mentions: ['first'],
    }),
  ),
];

export const batchRows: readonly BadInputRow[] = [
  ...rowsOf([batch], noBatches),
  ...oneBad,
  oneLarge,
  ...tooLarge,
  ...sameId,
  ...taken,
];
