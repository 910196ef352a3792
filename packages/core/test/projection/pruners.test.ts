import { describe, expect, it } from 'vitest';
import { SessionInputError } from '../../src/errors.ts';
import { Bm25ContextPruner } from '../../src/projection/bm25-pruner.ts';
import { stem } from '../../src/projection/lexical/stem.ts';
import { wordsOf } from '../../src/projection/lexical/words.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import { RelevanceContextPruner } from '../../src/projection/relevance-pruner.ts';
import type { SessionTurn, TurnInput } from '../../src/session/turn.ts';
import { countOf, seeded } from '../scale.ts';
import { turnsOf } from './turn.ts';

const ids = (turns: readonly SessionTurn[]): readonly string[] => turns.map(({ turnId }) => turnId);
const say = (...texts: readonly string[]): readonly SessionTurn[] =>
  turnsOf(...texts.map((content): TurnInput => ({ role: 'user', content })));

describe('RelevanceContextPruner', () => {
  it("keeps what the original's formula keeps", () => {
    const random = seeded(9);
    const words = ['train', 'rome', 'Ticket', 'the', 'a', 'cheap', 'Rome', 'hotel'];
    const roles = ['user', 'assistant', 'system', 'tool'] as const;
    const text = (): string =>
      Array.from({ length: Math.floor(random() * 6) }, () => words[Math.floor(random() * 8)]).join(
        ' ',
      );
    for (let round = 0; round < countOf(3_000, 300); round++) {
      const turns = turnsOf(
        ...Array.from({ length: Math.floor(random() * 30) }, () => ({
          role: roles[Math.floor(random() * 4)] ?? 'user',
          content: text(),
        })),
      );
      const query = text();
      const maxTurns = Math.floor(random() * 30);
      const kept = new RelevanceContextPruner().prune(turns, query, { maxTurns });
      expect(ids(kept)).toEqual(ids(original(turns, query, maxTurns)));
    }
  });
});

/** The formula as its description tells it. */
function original(
  history: readonly SessionTurn[],
  query: string,
  maxTurns: number,
): readonly SessionTurn[] {
  const split = (text: string): string[] => text.toLowerCase().split(' ').filter(Boolean);
  const others = history.filter(({ role }) => role !== 'system');
  const scored = others.map((turn, i) => {
    const said = new Set(split(String(turn.content)));
    const shared = new Set(split(query).filter((word) => said.has(word))).size;
    return { turn, i, score: shared + 0.3 * (others.length > 1 ? i / (others.length - 1) : 1) };
  });
  scored.sort((a, b) => b.score - a.score);
  const room = Math.max(0, maxTurns - (history.length - others.length));
  const best = new Set(scored.slice(0, room).map(({ turn }) => turn));
  return history.filter((turn) => turn.role === 'system' || best.has(turn));
}

describe('RecencyContextPruner', () => {
  it('keeps the newest without a gap, and system turns', () => {
    const turns = turnsOf(
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'short' },
      { role: 'user', content: 'long '.repeat(100) },
      { role: 'user', content: 'new' },
    );
    const pruner = new RecencyContextPruner();
    expect(ids(pruner.prune(turns, '', { maxTokens: 40 }))).toEqual(['t1', 't4']);
    expect(ids(pruner.prune(turns, '', { maxTurns: 3 }))).toEqual(['t1', 't3', 't4']);
    expect(ids(pruner.prune(turns, '', { maxTurns: 0 }))).toEqual(['t1']);
  });
});

describe('Bm25ContextPruner', () => {
  const filler = Array.from({ length: 60 }, (_, i) => `We went on with point ${i} of the agenda.`);
  const among = (...texts: readonly string[]): readonly SessionTurn[] =>
    say(...filler.slice(0, 30), ...texts, ...filler.slice(30));
  const found = (texts: readonly string[], query: string, maxTurns = texts.length) =>
    ids(new Bm25ContextPruner().prune(among(...texts), query, { maxTurns }));

  it('finds by stems, and lifts what stands around a hit', () => {
    const texts = ['Who pays then?', 'The remote controls cost twelve euros.', 'That is a lot.'];
    expect(found(texts, 'What did they decide on the costing of a remote control?')).toEqual([
      't31',
      't32',
      't33',
    ]);
  });

  it('finds in Chinese and in Japanese', () => {
    expect(found(['我想预订一家便宜的酒店', '好的'], '酒店', 1)).toEqual(['t31']);
    expect(found(['東京駅から京都駅まで新幹線で行きます', 'はい'], '新幹線', 1)).toEqual(['t31']);
  });

  it('finds names, accents or not, and parts of identifiers', () => {
    expect(found(['Zoë met François in Málaga'], 'francois', 1)).toEqual(['t31']);
    expect(found(['It fails in readUserName(id)'], 'user name', 1)).toEqual(['t31']);
    expect(found(['A follow-up call is due'], 'follow up', 1)).toEqual(['t31']);
  });

  it('takes the newest where nothing fits', () => {
    expect(found(['x'], 'unheard', 2)).toEqual(['t60', 't61']);
    expect(found(['x'], '', 2)).toEqual(['t60', 't61']);
  });

  it('finds in the calls and results of tools', () => {
    const turns = turnsOf(
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'a', name: 'find_trains', arguments: { to: 'Rome' } }],
      },
      ...filler.map((content): TurnInput => ({ role: 'user', content })),
    );
    expect(ids(new Bm25ContextPruner().prune(turns, 'trains', { maxTurns: 1 }))).toEqual(['t1']);
  });

  it('keeps no other index than that of the turns it is given', () => {
    const texts = ['the price of gold', 'a train to Rome', 'gold again', 'the end'];
    const turns = say(...filler.slice(0, 20), ...texts, ...filler.slice(20));
    const pruner = new Bm25ContextPruner();
    const random = seeded(3);
    for (let round = 0; round < 200; round++) {
      const from = Math.floor(random() * 3);
      const part = turns.slice(from, 1 + from + Math.floor(random() * (turns.length - from)));
      if (random() < 0.2) part.splice(Math.floor(random() * part.length), 1);
      const query = random() < 0.5 ? 'gold price' : 'point 7 of the agenda';
      const fresh = part.map((turn) => ({ ...turn }));
      const budget = { maxTokens: 20 + Math.floor(random() * 200) };
      expect(ids(pruner.prune(part, query, budget))).toEqual(
        ids(pruner.prune(fresh, query, budget)),
      );
      expect(pruner.scores(part, query)).toEqual(pruner.scores(fresh, query));
    }
  });

  it('scores turns: those with a hit the highest, then those around it', () => {
    const scores = new Bm25ContextPruner().scores(among('a remote control', 'ok'), 'controls');
    const [best, next] = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
    expect([best, next]).toEqual([30, 31]);
    expect(new Bm25ContextPruner().scores([], 'x')).toEqual(new Float64Array(0));
  });

  it('refuses what it does not know', () => {
    for (const settings of [{ reach: -1 }, { reach: '3' }, { depth: 3 }, 'x']) {
      expect(() => new Bm25ContextPruner(settings as never)).toThrow(SessionInputError);
    }
    const prune = (history: unknown, budget: unknown) => () =>
      new Bm25ContextPruner().prune(history as never, '', budget as never);
    expect(prune('x', {})).toThrow(SessionInputError);
    expect(prune([], { maxTurns: -1 })).toThrow(SessionInputError);
    expect(prune([], { max: 1 })).toThrow(SessionInputError);
  });
});

describe('words and stems', () => {
  it.each([
    ['caresses', 'caress'],
    ['ponies', 'poni'],
    ['agreed', 'agre'],
    ['plastered', 'plaster'],
    ['motoring', 'motor'],
    ['conflated', 'conflat'],
    ['hopping', 'hop'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['relational', 'relat'],
    ['digitizer', 'digit'],
    ['operator', 'oper'],
    ['electrical', 'electr'],
    ['hopefulness', 'hope'],
    ['adjustment', 'adjust'],
    ['adoption', 'adopt'],
    ['effective', 'effect'],
    ['controlling', 'control'],
    ['rate', 'rate'],
    ['rolling', 'roll'],
    ['sky', 'sky'],
    ['naïve', 'naïve'],
  ])('%s → %s', (word, expected) => {
    expect(stem(word)).toBe(expected);
  });

  it('are found whatever their script', () => {
    expect(wordsOf("Don't stop — the User's 3rd readTurn()")).toEqual([
      "don't",
      'stop',
      'the',
      'user',
      '3rd',
      'readturn',
      'read',
      'turn',
    ]);
    expect(wordsOf('今天天气很好')).toContain('天气');
    expect(wordsOf('Ｆｕｌｌ ｗｉｄｔｈ')).toEqual(['full', 'width']);
    expect(wordsOf('привет, мир')).toEqual(['привет', 'мир']);
  });
});
