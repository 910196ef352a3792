import type { JsonValue, SessionStatus } from '@lexigram/ai-session';
import fc from 'fast-check';
import type {
  Command,
  CommandFields,
  Freshness,
  ListCommand,
  SessionCommand,
  SiblingPick,
  Target,
  TurnChoice,
  TurnPick,
} from './command.ts';
import type { Patch } from './model/timeline.ts';
import { turnBodies } from './turn-bodies.ts';

type Arbitrary<T> = fc.Arbitrary<T>;

const index = fc.nat({ max: 30 });

/** One of some values, each as often as its weight says. */
function often<T>(...weighted: readonly (readonly [weight: number, value: T])[]): Arbitrary<T> {
  return fc.oneof(
    ...weighted.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })),
  );
}

const target: Arbitrary<Target> = fc.record({
  aim: often<Target['aim']>([82, 'fit'], [16, 'any'], [2, 'unknown']),
  n: often([6, 0], [4, 1], [3, 2], [2, 3], [1, 5], [1, 8]),
  via: often<Target['via']>([10, 'owner'], [6, 'anyone'], [1, 'foreigner']),
});

const value: Arbitrary<JsonValue> = fc.constantFrom<JsonValue[]>(
  1,
  2,
  'text',
  'TEXT',
  { y: 1, lc: 1, type: 'secret' },
  'ü "😀"\n',
  true,
  null,
  [1, [2]],
  { z: 1, a: { y: [], x: 1e-7 } },
  '',
);
const values = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });

const patch: Arbitrary<Patch> = fc
  .tuple(values, fc.subarray(['a', 'b', 'd'], { maxLength: 2 }))
  .map(([set, unset]) => {
    const free = unset.filter((key) => !(key in set));
    return { set: Object.keys(set).length + free.length === 0 ? { a: 1 } : set, unset: free };
  });

const body = fc.nat({ max: turnBodies.length - 1 });
const timestamp = often(
  [8, undefined],
  [1, '2026-02-03T04:05:06.789+02:00'],
  [1, '2025-12-31T23:59Z'],
);

const turnChoice: Arbitrary<TurnChoice> = fc.record({
  id: often<TurnChoice['id']>(
    [10, 'generated'],
    [6, 'chosen'],
    [2, 'repeated'],
    [1, 'changed'],
    [2, 'inherited'],
  ),
  n: index,
  body,
  timestamp,
});

/** In a batch that does not begin with a repeat most turns are new. */
const furtherChoice: Arbitrary<TurnChoice> = fc.record({
  id: often<TurnChoice['id']>(
    [50, 'generated'],
    [30, 'chosen'],
    [1, 'repeated'],
    [1, 'changed'],
    [5, 'inherited'],
  ),
  n: index,
  body,
  timestamp,
});

const turnPick: Arbitrary<TurnPick> = fc.record({
  from: often<TurnPick['from']>([12, 'history'], [3, 'left'], [1, 'elsewhere']),
  n: index,
});

const siblingPick: Arbitrary<SiblingPick> = fc.record({
  from: often<SiblingPick['from']>([3, 'history'], [3, 'left'], [4, 'family']),
  n: index,
});

const freshness = often<Freshness>([14, 'none'], [3, 'fresh'], [2, 'stale']);
const adding = { patch: fc.option(patch, { freq: 2 }), head: freshness, seq: freshness, n: index };
const seq = { seq: index, beyond: often([8, false], [1, true]) };
const limit = fc.constantFrom(1, 2, 3, 5, 100);

/** A command on a session, generated `weight` times as often as one with weight 1. */
function on<K extends keyof CommandFields>(
  weight: number,
  kind: K,
  fields: { readonly [F in keyof CommandFields[K]]: Arbitrary<CommandFields[K][F]> },
): { weight: number; arbitrary: Arbitrary<Command> } {
  const arbitrary = fc.record({
    do: fc.constant(kind),
    target,
    operation: often([3, false], [1, true]),
    ...fields,
  }) as Arbitrary<unknown> as Arbitrary<SessionCommand>;
  return { weight, arbitrary };
}

const onSessions = [
  on(18, 'addTurn', { ...adding, turn: turnChoice }),
  on(12, 'addTurns', {
    ...adding,
    turns: fc
      .tuple(turnChoice, fc.array(furtherChoice, { maxLength: 8, size: 'max' }))
      .map(([first, further]) => [first, ...further]),
    fitted: often([5, true], [1, false]),
  }),
  on(7, 'setVariables', { patch, revision: freshness }),
  on(3, 'setMetadata', { patch, revision: freshness }),
  on(3, 'suspend', {}),
  on(4, 'resume', {}),
  on(1, 'close', { reason: fc.constantFrom(null, 'done', 'zu Ende') }),
  on(3, 'delete', { withBranches: fc.boolean() }),
  on(8, 'checkpoint', {
    label: fc.constantFrom(null, 'first', 'second', 'third', 'größe'),
    metadata: values,
  }),
  on(2, 'getCheckpoint', { n: index }),
  on(6, 'restore', { n: index }),
  on(2, 'deleteCheckpoint', { n: index }),
  on(7, 'rewind', { to: fc.oneof(fc.record(seq), turnPick) }),
  on(5, 'edit', {
    turn: turnPick,
    content: fc.constantFrom('Edited', 'Hello', ''),
    times: fc.constantFrom(1, 11),
  }),
  on(4, 'regenerate', { turn: turnPick }),
  on(8, 'undo', {}),
  on(6, 'redo', {}),
  on(7, 'fork', {
    name: fc.constantFrom('alt', 'other', 'größer'),
    at: fc.oneof(
      fc.constant({ kind: 'head' as const }),
      fc.record({
        kind: fc.constant('checkpoint' as const),
        n: index,
        ofAnother: often([6, false], [1, true]),
      }),
      fc.record({ kind: fc.constant('turn' as const), turn: turnPick }),
      fc.record({ kind: fc.constant('seq' as const), ...seq }),
    ),
  }),
  on(9, 'merge', {
    of: often<'family' | 'any' | 'itself'>([20, 'family'], [2, 'any'], [1, 'itself']),
    n: index,
    winner: fc.constantFrom('branch', 'branch', 'parent'),
  }),
  on(6, 'select', { turn: siblingPick }),
  on(3, 'siblings', { turn: siblingPick, limit }),
  on(2, 'getState', { last: fc.constantFrom<('all' | number | null)[]>('all', null, 1, 3, 100) }),
  on(2, 'turns', {
    from: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined, freq: 2 }),
    to: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined, freq: 2 }),
    limit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined, freq: 2 }),
    order: fc.constantFrom('asc', 'desc', undefined),
  }),
  on(2, 'listCheckpoints', { limit }),
  on(2, 'listBranches', { limit }),
  on(2, 'invalid', { n: index }),
] as const;

const owner = often([10, 0], [2, 1], [2, 2], [1, 3]);

const create: Arbitrary<Command> = fc.record({
  do: fc.constant('create' as const),
  owner,
  id: often<'generated' | 'chosen' | 'taken'>([5, 'generated'], [3, 'chosen'], [2, 'taken']),
  n: index,
  scoped: fc.boolean(),
  prompt: fc.constantFrom(undefined, undefined, null, 'You are terse.'),
  metadata: values,
  variables: values,
  operation: often([3, false], [1, true]),
});

const list: Arbitrary<Command> = fc.record({
  do: fc.constant('list' as const),
  owner,
  scope: fc.constantFrom('owner', 'user', 'tenant', 'all'),
  status: often<SessionStatus | undefined>(
    [9, undefined],
    [2, 'active'],
    [1, 'suspended'],
    [1, 'closed'],
    [1, 'expired'],
  ),
  metadata: often<ListCommand['metadata']>(
    [9, undefined],
    [2, { a: 1 }],
    [1, { a: 'text' }],
    [1, { a: 'TEXT' }],
    [1, { a: null }],
    [1, { b: '', a: true }],
  ),
  limit,
});

const advance: Arbitrary<Command> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: often([10, 1], [4, 1_000], [3, 600_000], [1, 3_700_000]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      n: fc.nat({ max: 5 }),
      before: fc.constantFrom(0, 1),
    }),
  },
);

const repeat: Arbitrary<Command> = fc.record({
  do: fc.constant('repeat' as const),
  n: index,
  request: often<'same' | 'another' | 'refused'>([5, 'same'], [2, 'another'], [4, 'refused']),
});

/** Any command; most of them make sense where they come. */
export const anyCommand: Arbitrary<Command> = fc.oneof(
  ...onSessions,
  { weight: 6, arbitrary: create },
  { weight: 6, arbitrary: list },
  { weight: 8, arbitrary: advance },
  { weight: 9, arbitrary: repeat },
  { weight: 1, arbitrary: fc.constant<Command>({ do: 'reopen' }) },
);
