import assert from 'node:assert/strict';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { createTextStreamResponse, type LanguageModel, streamText, toTextStream } from 'ai';
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test';

// #region chat-route
/** A route that answers in a stream: it projects the session, and records what was asked and answered. */
export function chatRoute({ manager, projection }: Sessions, model: LanguageModel) {
  return async (request: Request): Promise<Response> => {
    const { sessionId, text } = (await request.json()) as { sessionId: string; text: string };
    await manager.addTurn(sessionId, { role: 'user', content: text });
    const { messages, system } = await projection.project(sessionId, {
      format: 'ai-sdk',
      maxTokens: 8_000,
      reserve: 1_000,
    });
    const record = (content: string, state: 'complete' | 'aborted', tokens = {}) =>
      manager.addTurn(sessionId, { role: 'assistant', content, state, ...tokens });
    const { stream } = streamText({
      model,
      messages: [...messages],
      maxOutputTokens: 1_000,
      abortSignal: request.signal,
      ...(system === null ? {} : { instructions: system }),
      onEnd: async ({ text, usage: { inputTokens = 0, outputTokens = 0 } }) => {
        await record(text, 'complete', { usage: { inputTokens, outputTokens } });
      },
      onAbort: async ({ steps }) => {
        await record(steps.map(({ text }) => text).join(''), 'aborted');
      },
    });
    return createTextStreamResponse({ stream: toTextStream({ stream }) });
  };
}
// #endregion

/** A model that answers with how many messages it was sent. */
const model = new MockLanguageModelV4({
  doStream: async ({ prompt }) => ({
    stream: simulateReadableStream({
      chunks: [
        { type: 'stream-start', warnings: [] },
        { type: 'text-start', id: '1' },
        { type: 'text-delta', id: '1', delta: `I was sent ${prompt.length} messages` },
        { type: 'text-delta', id: '1', delta: ', and answer in pieces.' },
        { type: 'text-end', id: '1' },
        {
          type: 'finish',
          finishReason: { unified: 'stop', raw: 'stop' },
          usage: {
            inputTokens: { total: 12, noCache: 12, cacheRead: 0, cacheWrite: 0 },
            outputTokens: { total: 9, text: 9, reasoning: 0 },
          },
        },
      ],
    }),
  }),
});

await using sessions = await createSessions();
const { sessionId } = await sessions.manager.create({
  userId: 'ada',
  systemPrompt: 'Answer in one line.',
});
const answer = chatRoute(sessions, model);
for (const text of ['Hello!', 'And again?']) {
  const body = JSON.stringify({ sessionId, text });
  const response = await answer(new Request('http://localhost/chat', { method: 'POST', body }));
  console.log(await response.text());
}
const { totalTokens, turns } = await sessions.manager.getState(sessionId, { turns: 'all' });
assert.deepEqual(
  turns.map(({ role }) => role),
  ['system', 'user', 'assistant', 'user', 'assistant'],
);
assert.equal(totalTokens, 42);
