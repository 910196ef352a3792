import { join } from 'node:path';
import {
  createModelAgent,
  createModelSelector,
  createSessions,
  type GroupEvent,
  type GroupResult,
  LlmDirectedTurnManager,
  type Sessions,
  SwarmTurnManager,
  stop,
} from '@lexigram/ai-session';
import { generateText, jsonSchema, streamText, type ToolSet, tool } from 'ai';
import { convertArrayToReadableStream, MockLanguageModelV4 } from 'ai/test';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConversations } from '../src/conversations/read.ts';
import { debate } from '../src/groups/debate.ts';
import { reviewTeam } from '../src/groups/review-team.ts';
import { actors, type MakeAgent, thinkers } from '../src/groups/speakers.ts';
import { recordingOf, supportSwarm } from '../src/groups/support-swarm.ts';

async function open(): Promise<Sessions & { readonly id: string }> {
  const sessions = await createSessions({ autoCheckpointInterval: null });
  onTestFinished(() => sessions.close());
  const { sessionId } = await sessions.manager.create({ userId: 'ada', systemPrompt: 'Be kind.' });
  return Object.assign({ ...sessions }, { id: sessionId });
}

async function lines({ id, manager }: Sessions & { readonly id: string }): Promise<string[]> {
  const { turns } = await manager.getState(id, { turns: 'all' });
  return turns.slice(1).map(({ agent, content, role }) => `${agent ?? role}: ${content}`);
}

type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>;

const usage: Generated['usage'] = {
  inputTokens: { total: 20, noCache: 15, cacheRead: 5, cacheWrite: undefined },
  outputTokens: { total: 7, text: 5, reasoning: 2 },
};

/** A model of the AI SDK that says what a function makes of what it was asked. */
function modelOf(says: (prompt: string, call: number) => Generated['content'] | string) {
  const model: MockLanguageModelV4 = new MockLanguageModelV4({
    modelId: 'a-model',
    doGenerate: async ({ prompt }) => {
      const said = says(JSON.stringify(prompt), model.doGenerateCalls.length);
      const content = typeof said === 'string' ? [{ type: 'text' as const, text: said }] : said;
      return { content, finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] };
    },
  });
  return model;
}

const scripts = {
  writer: ['Bridges are old.', 'A bridge is a road that trusts the air.'],
  form: ['Too flat.', 'APPROVED'],
  sense: ['APPROVED', 'APPROVED'],
  pro: ['It is fair.', 'And cheap.'],
  con: ['Is it?', 'Not at all.'],
  judge: ['Con wins.'],
} as const;

/** The same scripts said by models: each is told who it is, and knows its line by what it said before. */
function models(): { readonly make: MakeAgent; readonly prompts: string[] } {
  const prompts: string[] = [];
  const model = modelOf((prompt) => {
    prompts.push(prompt);
    const name = /You are '(\w+)'/.exec(prompt)?.[1] as keyof typeof scripts;
    const said = scripts[name].filter((line) => prompt.includes(`"text":"${line}"`)).length;
    return scripts[name][said === 0 || name !== 'sense' ? said : 1] ?? '';
  });
  return { prompts, make: thinkers((request) => generateText({ model, ...request })) };
}

describe.each(['actors', 'models of the AI SDK'])('with %s', (who) => {
  const make = (): MakeAgent => (who === 'actors' ? actors(scripts) : models().make);

  it('a review team ends when both approve', async () => {
    const sessions = await open();
    const result = await reviewTeam(sessions, make()).run(sessions.id, 'On bridges');
    expect(result).toMatchObject({ reason: 'stopped', detail: 'both approve', rounds: 2 });
    expect(await lines(sessions)).toEqual([
      'user: On bridges',
      'writer: Bridges are old.',
      'form: Too flat.',
      'sense: APPROVED',
      'writer: A bridge is a road that trusts the air.',
      'form: APPROVED',
      'sense: APPROVED',
    ]);
  });

  it('a debate is judged', async () => {
    const sessions = await open();
    const result = await debate(sessions, make()).run(sessions.id, 'Tolls?');
    expect(result).toMatchObject({ reason: 'complete', steps: 5 });
    expect(await lines(sessions)).toEqual([
      'user: Tolls?',
      'pro: It is fair.',
      'con: Is it?',
      'pro: And cheap.',
      'con: Not at all.',
      'judge: Con wins.',
    ]);
  });
});

describe('an agent that asks a model', () => {
  it('shows it its instructions, what others said as theirs, and not what it may not see', async () => {
    const sessions = await open();
    const { make, prompts } = models();
    await reviewTeam(sessions, make).run(sessions.id, 'On bridges');
    const [, form = '', sense = '', writer = ''] = prompts;
    expect(form).toContain("Be kind.\\n\\nYou are 'form'.");
    expect(form).toContain('writer: Bridges are old.');
    expect(sense).not.toContain('Too flat.');
    expect(writer).toContain('form: Too flat.');
  });

  it('writes down what it cost', async () => {
    const sessions = await open();
    const model = modelOf(() => 'x');
    const agent = createModelAgent({
      name: 'a',
      generate: (request) => generateText({ model, ...request }),
    });
    await sessions.group().addAgent(agent).run(sessions.id, 'Hi', { maxSteps: 1 });
    const { turns } = await sessions.manager.getState(sessions.id, { turns: 1 });
    expect(turns[0]).toMatchObject({
      model: 'a-model',
      usage: {
        inputTokens: 20,
        outputTokens: 7,
        totalTokens: 27,
        cacheReadTokens: 5,
        reasoningTokens: 2,
      },
    });
  });

  it('streams', async () => {
    const sessions = await open();
    const model = new MockLanguageModelV4({
      doStream: async () => ({
        stream: convertArrayToReadableStream([
          { type: 'text-start', id: '1' },
          { type: 'text-delta', id: '1', delta: 'Hel' },
          { type: 'text-delta', id: '1', delta: 'lo' },
          { type: 'text-end', id: '1' },
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
        ]),
      }),
    });
    const agent = createModelAgent({
      name: 'a',
      stream: (request) => streamText({ model, ...request }),
    });
    const events: GroupEvent[] = [];
    const stream = sessions.group().addAgent(agent).stream(sessions.id, 'Hi', { maxSteps: 1 });
    for await (const event of stream) events.push(event);
    expect(events.flatMap((event) => (event.type === 'delta' ? event.text : []))).toEqual([
      'Hel',
      'lo',
    ]);
    expect(events.find((event) => event.type === 'turn' && event.agent === 'a')).toMatchObject({
      turn: { content: 'Hello', usage: { totalTokens: 27 } },
    });
  });

  it('has its tools run by the group, a person asked, and hands over by a tool', async () => {
    const sessions = await open();
    const ran: unknown[] = [];
    const call = (toolCallId: string, toolName: string, input: object): Generated['content'] => [
      { type: 'tool-call', toolCallId, toolName, input: JSON.stringify(input) },
    ];
    const model = modelOf((prompt) => {
      if (prompt.includes('"toolName":"pay"')) return call('c2', 'transfer_to_bob', {});
      return call('c1', 'pay', { usd: 5 });
    });
    const inputSchema = jsonSchema<Record<string, unknown>>({ type: 'object', properties: {} });
    const tools = { pay: tool({ inputSchema }), transfer_to_bob: tool({ inputSchema }) } as ToolSet;
    const ann = createModelAgent({
      name: 'ann',
      generate: (request) => generateText({ model, tools, ...request }),
      tools: {
        pay: (input) => {
          ran.push(input);
          return 'paid';
        },
      },
      handOvers: { transfer_to_bob: 'bob' },
    });
    const group = sessions.group({
      turnManager: new SwarmTurnManager(),
      askBefore: ({ toolCall }) => toolCall?.name === 'pay',
    });
    group
      .addAgent(ann)
      .addAgent({ name: 'bob', execute: () => ({ content: 'Bye', handOver: null }) });
    const asked = await group.run(sessions.id, 'Pay');
    expect(asked.question?.toolCall).toEqual({ id: 'c1', name: 'pay', arguments: { usd: 5 } });
    expect(ran).toEqual([]);
    const result = await group.resume(sessions.id, { edit: { usd: 4 } });
    expect(result).toMatchObject({ reason: 'stopped', steps: 4 });
    expect(ran).toEqual([{ usd: 4 }]);
    expect(await lines(sessions)).toEqual([
      'user: Pay',
      'ann: ',
      'ann: paid',
      'ann: ',
      'ann: Handed over to bob.',
      'bob: Bye',
    ]);
  });
});

it('a model chooses who speaks next, by what was said and what the agents are good at', async () => {
  const sessions = await open();
  const prompts: string[] = [];
  const model = modelOf((prompt) => {
    prompts.push(prompt);
    return prompt.includes('cook: Soup.') ? 'I choose **taster**.' : 'cook';
  });
  const select = createModelSelector({
    generate: (request) => generateText({ model, ...request }),
    instructions: 'A meal is made.',
  });
  const group = sessions.group({
    turnManager: new LlmDirectedTurnManager({ select }),
    stopWhen: stop.text('Good.'),
  });
  group
    .addAgent({ name: 'taster', description: 'knows what is good', execute: () => 'Good.' })
    .addAgent({ name: 'cook', execute: () => 'Soup.' }, { role: 'kitchen' });
  const result = await group.run(sessions.id, 'Lunch, please');
  expect(result).toMatchObject({ reason: 'stopped', steps: 2 });
  expect((await lines(sessions)).slice(1)).toEqual(['cook: Soup.', 'taster: Good.']);
  expect(prompts[0]).toContain('- taster: knows what is good\\n- cook: kitchen');
  expect(prompts[0]).toContain('user: Lunch, please');
  expect(prompts[1]).toContain("'cook' spoke last.");
});

describe('a support swarm on a recorded conversation', async () => {
  const directory = join(import.meta.dirname, '..', 'data');
  const files = ['tool_agents.jsonl'];
  for await (const conversation of readConversations(directory, { files })) {
    const careful = ['book_reservation', 'update_reservation_flights'];
    if (!conversation.id.startsWith('tau-')) continue;
    it(`says and does what was recorded: ${conversation.id}`, async () => {
      const recording = recordingOf(conversation);
      const sessions = await open();
      const swarm = supportSwarm(sessions, recording, careful);
      let approved = 0;
      const results: GroupResult[] = [];
      for (const said of recording.customer) {
        let result = await swarm.run(sessions.id, said);
        while (result.question !== null) {
          approved += 1;
          result = await swarm.resume(sessions.id, { approve: true });
        }
        results.push(result);
      }
      expect(new Set(results.map(({ detail }) => detail))).toEqual(
        new Set(['hand-over to nobody']),
      );
      const calls = recording.answers.flatMap(({ toolCalls = [] }) => toolCalls);
      expect(approved).toBe(calls.filter(({ name }) => careful.includes(name)).length);
      const { turns } = await sessions.manager.getState(sessions.id, { turns: 'all' });
      const replayed = turns
        .filter(({ agent, role }) => role !== 'system' && agent !== 'desk')
        .map(({ content, role, toolCalls }) => ({ role, content, toolCalls }));
      const recorded = conversation.turns
        .map(({ turn: { content, role, toolCalls } }) => ({ role, content, toolCalls }))
        .filter(({ role }) => role !== 'system');
      const end = { role: 'assistant', content: 'Good bye.', toolCalls: undefined };
      expect(replayed).toEqual([...recorded, end]);
      expect(turns.filter(({ agent }) => agent === 'desk')).toHaveLength(1);
    });
  }
});
