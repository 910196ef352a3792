import { describe, expect, it } from 'vitest';
import { SessionLimitError } from '../../src/errors.ts';
import { Bm25ContextPruner } from '../../src/projection/bm25-pruner.ts';
import { estimateTokens } from '../../src/projection/count-tokens.ts';
import type { ProjectedMessage } from '../../src/projection/message.ts';
import { project } from '../../src/projection/project.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import { RelevanceContextPruner } from '../../src/projection/relevance-pruner.ts';
import { countOf, seeded } from '../scale.ts';
import { checkProjection } from './checked-projection.ts';
import { conversations } from './conversations.ts';
import { randomLog } from './random-log.ts';
import { findFaults } from './rules.ts';

const pruners = [
  new Bm25ContextPruner(),
  new RecencyContextPruner(),
  new RelevanceContextPruner(),
  // One that keeps everything, whatever it was told.
  { prune: (history: readonly never[]) => history },
];
const quarter = (text: string): number => Math.ceil(text.length / 4);

describe('a projection', () => {
  it('is valid, fits and keeps what has to stay, whatever the log', () => {
    let refused = 0;
    const logs = countOf(10_000, 1_500);
    for (let seed = 1; seed <= logs; seed++) {
      const random = seeded(seed * 7);
      const turns = randomLog(seed, { turns: 1 + Math.floor(random() * 40) });
      const countTokens = random() < 0.5 ? estimateTokens : quarter;
      const maxTokens = Math.floor(random() ** 2 * 3_000) + 20;
      const pinned = turns.filter(() => random() < 0.05).map(({ turnId }) => turnId);
      const viewer = random() < 0.3 ? { viewer: 'a' } : {};
      const query = random() < 0.5 ? { query: 'the order and the warehouse 餐馆' } : {};
      const reserve = random() < 0.2 ? 10 : 0;
      const pruner = pruners[seed % pruners.length] as (typeof pruners)[0];
      const options = { ...viewer, ...query, maxTokens, countTokens, pinned, reserve, pruner };
      try {
        const projection = project(turns, options);
        checkProjection(turns, projection, { maxTokens, countTokens, pinned, ...viewer });
      } catch (error) {
        if (!(error instanceof SessionLimitError)) throw new Error(`log ${seed}`, { cause: error });
        expect(error.actual).toBeGreaterThan(error.max);
        refused += 1;
      }
    }
    expect(refused).toBeLessThan(logs / 2);
  });

  it('is valid for every real conversation and any budget', () => {
    const random = seeded(5);
    let projected = 0;
    for (const { id, turns } of conversations()) {
      const rounds = Math.max(1, Math.round(countOf(8, 2) * Math.min(1, 2_000 / turns.length)));
      for (let round = 0; round < rounds; round++) {
        const maxTokens = 100 + Math.floor(random() ** 3 * 40_000);
        const options = { maxTokens, countTokens: estimateTokens };
        try {
          checkProjection(turns, project(turns, options), options);
          projected += 1;
        } catch (error) {
          if (error instanceof SessionLimitError) continue;
          throw new Error(`${id} at ${maxTokens}`, { cause: error });
        }
      }
    }
    expect(projected).toBeGreaterThan(40);
  });
});

const call = { id: 'c1', name: 'search', arguments: '{}' };
const user: ProjectedMessage = { role: 'user', content: 'Where is it?', turnIds: ['t1'] };
const calls: ProjectedMessage = {
  role: 'assistant',
  content: '',
  toolCalls: [call],
  turnIds: ['t2'],
};
const result: ProjectedMessage = {
  role: 'tool',
  content: 'There.',
  toolCallId: 'c1',
  toolName: 'search',
  turnIds: ['t3'],
};
const said: ProjectedMessage = { role: 'assistant', content: 'There.', turnIds: ['t4'] };
const system: ProjectedMessage = { role: 'system', content: 'Be brief.', turnIds: ['t0'] };

describe('the rules', () => {
  it('let pass what is right', () => {
    expect(findFaults([system, user, calls, result, said])).toEqual([]);
  });

  it.each<[string, readonly ProjectedMessage[]]>([
    ['a call without its result', [user, calls, said]],
    ['a call without its result at the end', [user, calls]],
    ['a result without its call', [user, result, said]],
    ['a result before its call', [user, result, calls, said]],
    ['a result twice', [user, calls, result, result, said]],
    ['a result of another call', [user, calls, { ...result, toolCallId: 'c2' }]],
    ['an id used twice', [user, calls, result, calls, result]],
    ['an answer first', [said, user]],
    ['an answer first after the system prompt', [system, said, user]],
    ['two questions in a row', [user, user, said]],
    ['two answers in a row', [user, said, said]],
    ['a system message in between', [user, said, system, user]],
    ['an empty question', [{ ...user, content: ' ' }, said]],
    ['an empty answer', [user, { ...said, content: '' }]],
    [
      'results out of turn',
      [
        user,
        { ...calls, toolCalls: [call, { ...call, id: 'c2' }] },
        { ...result, toolCallId: 'c2' },
        result,
      ],
    ],
  ])('refuse %s', (_, messages) => {
    expect(findFaults(messages)).not.toEqual([]);
  });
});
