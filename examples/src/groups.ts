import assert from 'node:assert/strict';
import {
  type Agent,
  createModelAgent,
  createSessions,
  RoundRobinTurnManager,
  SwarmTurnManager,
  stop,
  type TurnManager,
} from '@lexigram/ai-session';
import { debate } from './groups/debate.ts';
import { reviewTeam } from './groups/review-team.ts';
import { actors } from './groups/speakers.ts';

await using sessions = await createSessions();
const { manager } = sessions;
const { sessionId } = await manager.create({ userId: 'ada' });

// #region group
const poet: Agent = {
  name: 'poet',
  execute: (message, history) => `A line about ${message} (${history.length})`,
};
const critic: Agent = {
  name: 'critic',
  execute: async () => ({
    content: 'Too short. DONE',
    usage: { inputTokens: 60, outputTokens: 5 },
  }),
};
const group = sessions
  .group({ stopWhen: stop.text('DONE').or(stop.tokens(10_000)) })
  .addAgent(poet)
  .addAgent(critic, { role: 'reviewer', timeoutMs: 60_000, retries: 2 });

const { reason, detail, state } = await group.run(sessionId, 'bridges');
// #endregion
assert.deepEqual([reason, detail, state.turnCount], ['stopped', 'text', 3]);

// #region stream
for await (const event of group.stream(sessionId, 'rivers', { maxRounds: 2 })) {
  if (event.type === 'delta') process.stdout.write(event.text);
  if (event.type === 'turn') console.log(event.agent ?? 'user', '·', event.turn.content);
  if (event.type === 'ended') console.log(event.result.reason);
}
// #endregion

// #region turn-manager
const loudestFirst: TurnManager = {
  selectNext: ({ agents, round, selections }) => {
    if (selections === 4) return null; // nobody: the run is complete
    const loudest = agents.toSorted((a, b) => b.priority - a.priority);
    return {
      agent: loudest[selections % agents.length]?.name ?? null,
      round,
      state: { selections },
    };
  },
};
// #endregion
const loud = sessions.group({ turnManager: loudestFirst });
loud.addAgent(poet).addAgent(critic, { priority: 9 });
assert.equal((await loud.run(sessionId, 'Go')).steps, 4);

// #region stop
const enough = stop
  .text(/\bdone\b/i)
  .and(stop.turns(3)) // both at the same step
  .or(stop.tokens(20_000))
  .or(stop.cost(0.5)) // USD
  .or(stop.time(10 * 60_000)) // of work, waiting for a person not counted
  .or(stop.repetition({ texts: 3, pairs: 5 }))
  .or(stop.when(({ spent, last }) => last?.agent === 'critic' && spent.turns > 40));
// #endregion
assert.equal(typeof enough.judge, 'function');

// #region isolation
const panel = sessions.group({
  roleIsolation: {
    roles: { reviewer: { hides: ['reviewer'] } }, // each with a mind of its own
    rule: (turn, viewer) => !(turn.metadata?.['draft'] === true && viewer.name !== turn.agent),
    variables: { budget: ['boss'] }, // only the agent or role `boss` sees and sets it
  },
});
panel.addAgent(poet, { role: 'writer' });
panel.addAgent({ name: 'boss', execute: () => ({ content: 'psst', visibleTo: ['boss'] }) });
const seen = await panel.historyFor(sessionId, 'poet'); // for an export, say
// #endregion
assert.ok(seen.length > 3);

// #region person
const payments: Agent = {
  name: 'payments',
  execute: (message) => {
    if (message === 'refund me') return { ask: 'Which order?' };
    if (message.startsWith('paid')) return { content: 'It is on its way.', handOver: null };
    return { toolCalls: [{ id: 'call-1', name: 'refund', arguments: { order: message } }] };
  },
  callTool: ({ arguments: order }, { key }) => `paid back ${JSON.stringify(order)} once: ${key}`,
};
const support = sessions
  .group({
    turnManager: new SwarmTurnManager(),
    askBefore: ({ toolCall }) => toolCall?.name === 'refund' && 'Refund this order?',
  })
  .addAgent(payments);

const asked = await support.run(sessionId, 'refund me'); // asked.question.text: 'Which order?'
// … days later, in any process:
const approval = await support.resume(sessionId, '4711'); // approval.question.toolCall: the refund
const done = await support.resume(sessionId, { approve: true }); // or { edit: … }, { refuse: 'why' }
// #endregion
assert.deepEqual([asked.question?.text, approval.question?.about], ['Which order?', 'tool_call']);
assert.equal(done.reason, 'stopped');

// #region resume
const abort = new AbortController();
const cautious = sessions.group({ turnManager: new RoundRobinTurnManager({ maxRounds: 1 }) });
cautious.addAgent({
  name: 'careful',
  execute: (_message, _history, { key }) => {
    if (abort.signal.aborted) return `answer to ${key.split('.')[1]}`;
    abort.abort(); // somebody presses the button
    return new Promise(() => {});
  },
});
const broken = await cautious.run(sessionId, 'Slowly', { signal: abort.signal }); // 'cancelled'
const whole = await cautious.resume(sessionId); // the same step, under the same key
// #endregion
assert.deepEqual([broken.reason, whole.reason], ['cancelled', 'complete']);

const generateText = async ({ messages }: { model: string; messages: readonly unknown[] }) => ({
  text: `I read ${messages.length} messages.`,
  toolCalls: [],
  usage: { inputTokens: 10, outputTokens: 5 },
});
const model = 'a model of yours';
// #region model
const thinker = createModelAgent({
  name: 'thinker',
  instructions: 'Answer in one line.',
  generate: (request) => generateText({ model, ...request }), // generateText of the AI SDK, or yours
  maxTokens: 8_000,
});
// #endregion
const thinking = sessions.group().addAgent(thinker);
assert.equal((await thinking.run(sessionId, 'Think', { maxSteps: 1 })).steps, 1);

const review = reviewTeam(
  sessions,
  actors({
    writer: ['Bridges are old.', 'A bridge is a road that trusts the air.'],
    form: ['Too flat.', 'APPROVED'],
    sense: ['APPROVED', 'APPROVED'],
  }),
);
const reviewed = await review.run(
  (await manager.create({ userId: 'ada' })).sessionId,
  'On bridges',
);
const argument = debate(
  sessions,
  actors({
    pro: ['It is fair.', 'And cheap.'],
    con: ['Is it?', 'Not at all.'],
    judge: ['Con wins.'],
  }),
);
const judged = await argument.run((await manager.create({ userId: 'ada' })).sessionId, 'Tolls?');
console.log(reviewed.detail, reviewed.rounds, judged.reason, judged.steps);
