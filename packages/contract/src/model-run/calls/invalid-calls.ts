import type { TurnInput } from '@lexigram/ai-session';
import type { CommandFields } from '../command.ts';
import type { Trial } from '../context.ts';
import { refuse } from '../model/refusal.ts';
import type { Aim, Call, Services } from './call.ts';

const turn: TurnInput = { role: 'user', content: 'x' };

/** Calls whose arguments are wrong: refused before anything else is looked at, and nothing is written. */
const invalid: readonly (readonly [
  title: string,
  invoke: (services: Services, id: string) => Promise<unknown>,
])[] = [
  ['an id that cannot be', ({ manager }) => manager.getState('a b')],
  ['an unknown role', ({ manager }, id) => manager.addTurn(id, { ...turn, role: 'bot' as 'user' })],
  ['an empty batch', ({ manager }, id) => manager.addTurns(id, [])],
  [
    'one turn id twice in a batch',
    ({ manager }, id) =>
      manager.addTurns(id, [
        { ...turn, turnId: 'twice' },
        { ...turn, turnId: 'twice' },
      ]),
  ],
  ['a turn id with a space', ({ manager }, id) => manager.addTurn(id, { ...turn, turnId: ' a' })],
  ['a negative seq', ({ manager }, id) => manager.addTurn(id, turn, { expectedSeq: -1 })],
  ['a negative rewind', ({ manager }, id) => manager.rewind(id, { toSeq: -1 })],
  ['U+0000', ({ manager }, id) => manager.addTurn(id, { ...turn, content: 'a\u0000b' })],
  ['ill-formed text', ({ manager }, id) => manager.setVariables(id, { a: '\ud800' })],
  [
    'a key set and unset',
    ({ manager }, id) => manager.setVariables(id, { a: 1 }, { unset: ['a'] }),
  ],
  ['__proto__', ({ manager }, id) => manager.setMetadata(id, JSON.parse('{"__proto__":1}'))],
  ['a branch without a name', ({ branches }, id) => branches.fork(id, '')],
  [
    'a branch at two places',
    ({ branches }, id) => branches.fork(id, 'b', { atSeq: 0, atTurn: 't' }),
  ],
  ['a page of nothing', ({ checkpoints }, id) => checkpoints.list(id, { limit: 0 })],
  ['a foreign cursor', ({ checkpoints }, id) => checkpoints.list(id, { cursor: '!' })],
];

export function invalidCall(_: Trial, aim: Aim, { n }: CommandFields['invalid']): Call {
  const [title, invoke] = invalid[n % invalid.length] as (typeof invalid)[number];
  return {
    title: `${aim.label}: ${title}`,
    expect: () => refuse('input'),
    invoke: () => invoke(aim.services(), aim.id()),
  };
}
