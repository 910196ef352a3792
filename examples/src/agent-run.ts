import assert from 'node:assert/strict';
import { createSessions, type OpenAiResponsesItem, type Sessions } from '@lexigram/ai-session';
import { Agent, type AgentInputItem, Runner } from '@openai/agents';
import { assistantMessage, modelResponse, ScriptedModel } from '@openai/agents/testing';

// #region agent-run
/** A run of an agent of OpenAI's over a session: it projects, streams, and records question and answer. */
export async function* runAgent(
  { manager, projection }: Sessions,
  runner: Runner,
  agent: Agent,
  sessionId: string,
  text: string,
): AsyncGenerator<string> {
  await manager.addTurn(sessionId, { role: 'user', content: text });
  const { messages } = await projection.project(sessionId, {
    format: 'openai-responses',
    viewer: agent.name,
    maxTokens: 8_000,
    reserve: 1_000,
  });
  const result = await runner.run(agent, messages.map(toInputItem), { stream: true });
  yield* result.toTextStream();
  await result.completed;
  const { inputTokens, outputTokens } = result.state.usage;
  await manager.addTurn(sessionId, {
    role: 'assistant',
    agent: agent.name,
    content: String(result.finalOutput ?? ''),
    usage: { inputTokens, outputTokens },
  });
}

/** OpenAI's agents name the fields of an item in their own way. */
function toInputItem(item: OpenAiResponsesItem): AgentInputItem {
  if (!('role' in item)) {
    const status = 'completed';
    const callId = item.call_id;
    return item.type === 'function_call'
      ? { type: 'function_call', status, callId, name: item.name, arguments: item.arguments }
      : { type: 'function_call_result', status, callId, name: '', output: item.output };
  }
  if (item.role === 'assistant') {
    const content = [{ type: 'output_text' as const, text: item.content }];
    return { role: 'assistant', status: 'completed', content };
  }
  if (item.role === 'system') return { role: 'system', content: item.content };
  const parts = typeof item.content === 'string' ? [item.content] : item.content;
  const texts = parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part)));
  return { role: 'user', content: texts.join('\n\n') };
}
// #endregion

await using sessions = await createSessions();
const { sessionId } = await sessions.manager.create({ userId: 'ada' });
const model = new ScriptedModel([
  modelResponse([assistantMessage('Trains go at 08:10 and 09:40.')]),
  modelResponse([assistantMessage('Booked: 09:40.')]),
]);
const agent = new Agent({ name: 'clerk', instructions: 'Sell tickets.', model });
const runner = new Runner({ tracingDisabled: true });
for (const text of ['When do trains go to Rome?', 'Take the second one.']) {
  let answer = '';
  for await (const piece of runAgent(sessions, runner, agent, sessionId, text)) answer += piece;
  console.log(answer);
}
const sent = model.calls[1]?.request.input;
assert.ok(Array.isArray(sent));
assert.deepEqual(
  sent.map((item) => 'role' in item && item.role),
  ['user', 'assistant', 'user'],
);
assert.equal((await sessions.manager.getState(sessionId)).turnCount, 4);
