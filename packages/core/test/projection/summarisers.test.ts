import { MockLanguageModelV4 } from 'ai/test';
import { describe, expect, it } from 'vitest';
import { SessionInputError } from '../../src/errors.ts';
import { estimateTokens } from '../../src/projection/count-tokens.ts';
import { extractiveSummariser } from '../../src/projection/extractive-summariser.ts';
import { modelSummariser } from '../../src/projection/model-summariser.ts';
import type { SummariseInput } from '../../src/projection/summarise.ts';
import type { SessionTurn } from '../../src/session/turn.ts';
import { conversations } from './conversations.ts';
import { open } from './open-sessions.ts';
import { turnsOf } from './turn.ts';

const input = (turns: readonly SessionTurn[], more: Partial<SummariseInput> = {}) => ({
  previous: null,
  turns,
  maxTokens: 200,
  countTokens: estimateTokens,
  signal: new AbortController().signal,
  ...more,
});

describe('the extractive summariser', () => {
  it('keeps what was said word for word, in order, within its tokens', async () => {
    for (const { id, turns } of conversations().slice(0, 20)) {
      const summary = await extractiveSummariser()(input(turns));
      expect(estimateTokens(summary), id).toBeLessThanOrEqual(220);
      expect(summary.trim(), id).not.toBe('');
    }
    const turns = turnsOf(
      { role: 'user', content: 'The remote costs twelve euros. Hm.', name: 'Ann' },
      { role: 'assistant', content: 'Then the remote may cost twenty five euros in shops.' },
      { role: 'user', content: 'ok' },
    );
    const summary = await extractiveSummariser()(input(turns, { maxTokens: 30 }));
    expect(summary).toContain('Ann: The remote costs twelve euros.');
    expect(summary.split('\n')[0]).toContain('Ann');
  });

  it('goes on from the summary before', async () => {
    const previous = 'Ann: The remote costs twelve euros.';
    const turns = turnsOf({ role: 'user', content: 'The remote is yellow.' });
    const summary = await extractiveSummariser()(input(turns, { previous }));
    expect(summary).toBe(`${previous}\nuser: The remote is yellow.`);
  });

  it('says so where there is nothing in words', async () => {
    const turns = turnsOf({ role: 'user', content: '' });
    expect(await extractiveSummariser()(input(turns))).not.toBe('');
  });
});

describe('a summariser from a model of the AI SDK', () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  const model = (text: string) =>
    new MockLanguageModelV4({
      doGenerate: async () => ({
        content: [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text },
        ],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage,
        warnings: [],
      }),
    });

  it('gives it the conversation and the summary before, and takes its text', async () => {
    await using sessions = await open();
    const { sessionId } = await sessions.manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
    for (let n = 1; n <= 30; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: `number ${n}` });
    }
    const mock = model('They counted.');
    const summarise = modelSummariser(mock);
    const made = await sessions.projection.compact(sessionId, { summarise, keepLast: 20 });
    expect(made?.summary).toBe('They counted.');
    await sessions.projection.compact(sessionId, { summarise, keepLast: 10, maxTokens: 77 });
    const [first, second] = mock.doGenerateCalls;
    expect(JSON.stringify(first?.prompt)).toContain('user: number 10');
    expect(JSON.stringify(first?.prompt)).not.toContain('Be brief.');
    expect(JSON.stringify(second?.prompt)).toContain('<summary-before>\\nThey counted.');
    expect(JSON.stringify(second?.prompt)).not.toContain('number 10');
    expect(second?.maxOutputTokens).toBe(77);
    expect(second?.abortSignal).toBeInstanceOf(AbortSignal);
  });

  it('can be told what to do', async () => {
    const mock = model('x');
    const turns = turnsOf({ role: 'user', content: 'hello' });
    await modelSummariser(mock, { instructions: 'In one word.' })(input(turns));
    expect(mock.doGenerateCalls[0]?.prompt[0]?.content).toBe('In one word.');
  });

  it('stores nothing if it says nothing', async () => {
    await using sessions = await open();
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    for (let n = 1; n <= 30; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: `number ${n}` });
    }
    const summarise = modelSummariser(model(' '));
    await expect(sessions.projection.compact(sessionId, { summarise })).rejects.toThrow(
      SessionInputError,
    );
    expect(() => modelSummariser({} as never)).toThrow(SessionInputError);
    expect(() => modelSummariser(model(''), { instructions: 3 } as never)).toThrow(
      SessionInputError,
    );
  });
});
