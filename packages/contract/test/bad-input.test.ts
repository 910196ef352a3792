import { SessionInputError } from '@lexigram/ai-session';
import {
  type BadInputRow,
  badInput,
  bindBadInput,
  goodInput,
} from '@lexigram/ai-session-contract/bad-input';
import { afterAll, describe, expect, it, test } from 'vitest';
import { InputBench } from '../src/bad-input/input-bench.ts';
import { openMemory } from './memory.ts';

test('every row has an id of its own', () => {
  const ids = [...badInput, ...goodInput].map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

describe('bad input in memory', () => {
  bindBadInput({ describe, it, afterAll }, openMemory);
});

describe('a row fails', () => {
  const refuse = (message: string): never => {
    throw new SessionInputError('turn.role', message);
  };
  const good: BadInputRow = {
    id: 'good',
    call: async () => refuse('expected a role'),
    code: 'LEX_ERR_SES_014',
    mentions: ['turn.role', 'expected'],
  };
  const polluted = Object.prototype as { p?: unknown };

  it.each<readonly [what: string, row: Partial<BadInputRow>, reason: string]>([
    ['the call is accepted', { call: async () => 'fine' }, 'the call was accepted'],
    ['the error is none of ours', { call: () => Promise.reject(new TypeError('x')) }, 'TypeError'],
    ['the code is another', { code: 'LEX_ERR_SES_015' }, 'LEX_ERR_SES_014'],
    ['the argument is not named', { mentions: ['turn.content'] }, 'no turn.content in'],
    ['the message does not fit', { mentions: /limit/ }, '/limit/'],
    ['content is shown', { call: async () => refuse('got zqc4n4ry') }, 'shows content'],
    ['the message breaks a line', { call: async () => refuse('a\nb') }, 'control characters'],
    ['the message is ill-formed', { call: async () => refuse('\ud800') }, 'ill-formed'],
    ['the message is endless', { call: async () => refuse('x'.repeat(2_000)) }, 'characters'],
    [
      'a turn was written',
      {
        call: async ({ manager }, { sessionId }) => {
          await manager.addTurn(sessionId, { role: 'user', content: 'x' });
          return refuse('expected a role');
        },
      },
      'a refused call has written',
    ],
    [
      'a record was written that nobody sees',
      {
        call: async ({ store }, { sessionId }) => {
          await store.commit(sessionId, { records: [{ kind: 'hold', key: 'x', value: '{}' }] });
          return refuse('expected a role');
        },
      },
      'a refused call has written',
    ],
    [
      'a session was deleted',
      {
        call: async ({ manager }, { foreignId }) => {
          await manager.delete(foreignId);
          return refuse('expected a role');
        },
      },
      'a refused call has written',
    ],
    [
      'a prototype was polluted',
      {
        call: async () => {
          polluted.p = 1;
          return refuse('expected a role');
        },
      },
      'polluted',
    ],
  ])('if %s', async (_, changed, reason) => {
    const bench = new InputBench(openMemory);
    try {
      await bench.refuses(good);
      await expect(bench.refuses({ ...good, ...changed })).rejects.toThrow(reason);
    } finally {
      delete polluted.p;
      await bench.dispose();
    }
  });
});
