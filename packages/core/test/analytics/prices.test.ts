import {
  createSessions,
  openPrices,
  type Prices,
  SessionAnalytics,
  SessionManager,
  type Usage,
} from '@lexigram/ai-session';
import { calcPrice } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import { InMemorySessionStore } from '../../src/store/memory.ts';

const at = Date.UTC(2026, 2, 1);
const usage: Usage = { inputTokens: 4_740, outputTokens: 255 };

/** Models as logs of today name them, and the names under which the catalogue knows them. */
const named: readonly [model: string, provider: string | undefined, plain: string][] = [
  ['gpt-4o', undefined, 'gpt-4o'],
  ['gpt-4o-2024-08-06', 'openai', 'gpt-4o'],
  ['openai/gpt-4o-mini', undefined, 'gpt-4o-mini'],
  ['claude-sonnet-4-20250514', undefined, 'claude-sonnet-4-20250514'],
  ['anthropic/claude-opus-4-1-20250805', undefined, 'claude-opus-4-1-20250805'],
  ['openrouter/anthropic/claude-3-5-sonnet-20241022', undefined, 'claude-3-5-sonnet-20241022'],
  ['claude-sonnet-4-20250514', 'a-proxy-of-ours', 'claude-sonnet-4-20250514'],
  ['gemini-2.0-flash', 'google', 'gemini-2.0-flash'],
  ['o3-mini', 'openai.responses', 'o3-mini'],
  ['deepseek-chat', undefined, 'deepseek-chat'],
];

describe('the catalogue', () => {
  it.each(named)('prices %s of %s', async (model, provider, plain) => {
    const prices = await openPrices();
    const usd = prices.priceOf({
      model,
      usage,
      at,
      ...(provider === undefined ? {} : { provider }),
    });
    const tokens = { input_tokens: 4_740, output_tokens: 255 };
    const expected = calcPrice(tokens, plain, { timestamp: new Date(at) })?.total_price;
    expect(expected).toBeGreaterThan(0);
    expect(usd).toBeCloseTo(expected ?? Number.NaN, 12);
  });

  it('prices tokens of caches and of reasoning as the package does, at every size', async () => {
    const prices = await openPrices();
    const models = [
      'gpt-4o',
      'gpt-5',
      'claude-sonnet-4-20250514',
      'gemini-2.5-pro',
      'gemini-2.5-flash',
    ];
    let compared = 0;
    for (const model of models) {
      for (const input of [1, 999, 150_000, 199_999, 200_001, 450_000]) {
        for (const share of [0, 0.3, 1]) {
          const [read, write] = [Math.floor(input * share * 0.6), Math.floor(input * share * 0.4)];
          const use = {
            inputTokens: input,
            outputTokens: 1_003,
            cacheReadTokens: read,
            cacheWriteTokens: write,
            reasoningTokens: 501,
          };
          const expected = calcPrice(
            {
              input_tokens: input,
              output_tokens: 1_003,
              ...(read === 0 ? {} : { cache_read_tokens: read }),
              ...(write === 0 ? {} : { cache_write_tokens: write }),
              output_reasoning_tokens: 501,
            },
            model,
            { timestamp: new Date(at) },
          )?.total_price;
          expect(prices.priceOf({ model, usage: use, at })).toBeCloseTo(expected ?? Number.NaN, 10);
          compared += 1;
        }
      }
    }
    expect(compared).toBe(90);
  });

  it('says that it has no price: for unknown models, totals only, and more cached than there is', async () => {
    const prices = await openPrices();
    for (const model of ['some-model', 'vendor/some-model', '', '/', 'constructor', '__proto__']) {
      expect(prices.priceOf({ model, usage, at })).toBeNull();
    }
    const odd: readonly Usage[] = [
      { totalTokens: 5_000 },
      { inputTokens: 10, outputTokens: 1, cacheReadTokens: 11 },
      { inputTokens: 10, outputTokens: 1, cacheReadTokens: 6, cacheWriteTokens: 5 },
    ];
    for (const one of odd) expect(prices.priceOf({ model: 'gpt-4o', usage: one, at })).toBeNull();
  });
});

describe('a table', () => {
  const models = { 'gpt-4o': { input: 1, output: 2 }, mine: { input: 3, output: 4, cacheRead: 0 } };

  it('comes before the catalogue, which has the rest', async () => {
    const prices = await openPrices({ models });
    expect(prices.priceOf({ model: 'gpt-4o', usage })).toBe((4_740 + 2 * 255) / 1e6);
    expect(prices.priceOf({ model: 'openai/gpt-4o', usage })).toBe((4_740 + 2 * 255) / 1e6);
    expect(prices.priceOf({ model: 'gpt-4', usage })).toBeGreaterThan(0.1);
    const cached = { inputTokens: 1_000, outputTokens: 0, cacheReadTokens: 900 };
    expect(prices.priceOf({ model: 'mine', usage: cached })).toBe(0.000_3);
  });

  it('alone knows nothing else', async () => {
    const prices = await openPrices({ models, catalogue: false });
    expect(prices.priceOf({ model: 'gpt-4', usage })).toBeNull();
    expect(prices.priceOf({ model: 'toString', usage })).toBeNull();
  });

  it('prices reasoning apart if it has a price for it, and then needs the output to hold it', async () => {
    const table = {
      plain: { input: 0, output: 10 },
      apart: { input: 0, output: 10, reasoning: 30 },
    };
    const prices = await openPrices({ models: table, catalogue: false });
    const thought = { outputTokens: 100, reasoningTokens: 40 };
    expect(prices.priceOf({ model: 'plain', usage: thought })).toBe(0.001);
    expect(prices.priceOf({ model: 'apart', usage: thought })).toBe(0.0018);
    const more = { outputTokens: 10, reasoningTokens: 40 };
    expect(prices.priceOf({ model: 'plain', usage: more })).toBe(0.0001);
    expect(prices.priceOf({ model: 'apart', usage: more })).toBeNull();
  });
});

describe('prices of your own making', () => {
  const turn = { role: 'assistant', content: 'x', model: 'm', usage } as const;

  it.each([
    ['a price', () => 0.5, 0.5],
    ['half a nano-dollar', () => 5e-10, 1e-9],
    ['nothing to pay', () => 0, 0],
    ['none', () => null, undefined],
    ['no number', () => Number.NaN, undefined],
    ['less than nothing', () => -1, undefined],
    ['more than a turn may cost', () => 1_000_001, undefined],
    ['a text', () => '1' as unknown as number, undefined],
    [
      'an error',
      () => {
        throw new Error('out of prices');
      },
      undefined,
    ],
  ])('may answer %s', async (_, priceOf: Prices['priceOf'], cost) => {
    await using sessions = await createSessions({}, { prices: { priceOf } });
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    const added = await sessions.manager.addTurn(sessionId, turn);
    expect(added.turn.cost).toBe(cost);
    const { total, unpriced } = await sessions.analytics.report({ groupBy: 'day' });
    expect(total.cost).toBe(cost ?? null);
    expect(unpriced).toEqual(cost === undefined ? [{ model: 'm', turns: 1 }] : []);
  });

  it('are told all that there is to know, and serve services made alone', async () => {
    const asked: unknown[] = [];
    const prices: Prices = {
      priceOf(use) {
        asked.push(use);
        return 1;
      },
    };
    const store = new InMemorySessionStore();
    const manager = new SessionManager({ store, prices });
    const { sessionId } = await manager.create({ userId: 'u' });
    const timestamp = '2026-03-01T00:00:00.000Z';
    await manager.addTurn(sessionId, { ...turn, provider: 'p', timestamp });
    await manager.addTurn(sessionId, { role: 'user', content: 'no usage', model: 'm' });
    const whole = { ...usage, totalTokens: 4_995 };
    expect(asked).toEqual([{ model: 'm', provider: 'p', usage: whole, at }]);
    const { cost } = await new SessionAnalytics({ store, prices }).cost([turn, turn]);
    expect(cost).toBe(2);
  });
});

describe('analytics.cost', () => {
  it('says what turns cost, and what has no price', async () => {
    await using sessions = await createSessions();
    const { analytics, manager } = sessions;
    const known = { model: 'gpt-4o', usage: { inputTokens: 1_000, outputTokens: 100 } };
    expect(await analytics.cost(known)).toEqual({ cost: 0.0035, pricedCost: 0.0035, unpriced: [] });
    const unknown = { model: 'some-model', usage: { inputTokens: 1 } };
    const nameless = { usage: { totalTokens: 5 } };
    expect(
      await analytics.cost([known, unknown, known, unknown, nameless, { cost: 1 }, {}]),
    ).toEqual({
      cost: null,
      pricedCost: 1.007,
      unpriced: [
        { model: 'some-model', turns: 2 },
        { model: null, turns: 1 },
      ],
    });
    expect(await analytics.cost([])).toEqual({ cost: 0, pricedCost: 0, unpriced: [] });
    const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
    await manager.addTurn(sessionId, { role: 'assistant', content: '', ...known });
    const { turns } = await manager.getState(sessionId, { turns: 'all' });
    expect((await analytics.cost(turns)).cost).toBe(0.0035);
  });
});
