import { join } from 'node:path';
import {
  type AgentTurn,
  createSessions,
  type GroupResult,
  type GroupSession,
  LlmDirectedTurnManager,
  RoundRobinTurnManager,
  type Sessions,
  SwarmTurnManager,
  stop,
  type TurnManager,
} from '@lexigram/ai-session';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';
import type { TurnInput } from '../src/conversations/turn-input.ts';

const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');

/** What one agent did when it had the word: turns, and whom it handed over to. */
interface Step {
  readonly agent: string;
  readonly turns: readonly AgentTurn[];
  /** Null is the person; undefined if it did not hand over. */
  readonly handOver: string | null | undefined;
}

/** One message of the person, and what came of it. */
interface Part {
  readonly message: TurnInput;
  readonly steps: readonly Step[];
}

/** A recorded run as parts and steps: calls with their results and what AutoGen says of them are one step. */
function partsOf({ turns }: Conversation): Part[] {
  const parts: { message: TurnInput; steps: Step[] }[] = [];
  let step: { agent: string; turns: TurnInput[] } | undefined;
  const close = (): void => {
    if (step === undefined) return;
    const calls = step.turns.flatMap(({ toolCalls }) => toolCalls ?? []);
    const to = calls.map(({ name }) => /^transfer_to_(.+)$/.exec(name)?.[1]).find(Boolean);
    const said = step.turns.map(({ agent: _, timestamp: __, turnId: ___, ...turn }) => turn);
    const handOver = to === 'user' ? null : to;
    parts.at(-1)?.steps.push({ agent: step.agent, turns: said as AgentTurn[], handOver });
    step = undefined;
  };
  for (const { turn } of turns) {
    const { timestamp: _, turnId: __, ...given } = turn;
    if (turn.agent === undefined) {
      close();
      parts.push({ message: given, steps: [] });
      continue;
    }
    const before = step?.turns.at(-1);
    const goesOn = step?.agent === turn.agent && (turn.role === 'tool' || before?.role === 'tool');
    if (!goesOn) close();
    step ??= { agent: turn.agent, turns: [] };
    step.turns.push(turn);
  }
  close();
  return parts;
}

function managerOf(id: string, steps: readonly Step[]): TurnManager {
  if (id.startsWith('autogen-swarm')) {
    return new SwarmTurnManager({ firstAgent: steps[0]?.agent });
  }
  if (id.startsWith('autogen-travel')) return new RoundRobinTurnManager();
  return new LlmDirectedTurnManager({
    select: async ({ step }) => steps[step]?.agent,
    allowRepeats: true,
  });
}

/** A group whose agents say what was recorded, step by step. */
function teamOf(sessions: Sessions, id: string, steps: readonly Step[]): GroupSession {
  const group = sessions.group({
    turnManager: managerOf(id, steps),
    stopWhen: stop.text('TERMINATE').or(stop.handOver()),
  });
  let next = 0;
  for (const name of new Set(steps.map(({ agent }) => agent))) {
    group.addAgent({
      name,
      execute() {
        const step = steps[next++];
        if (step?.agent !== name) throw new Error(`it is ${step?.agent}'s turn, not ${name}'s`);
        const { handOver, turns } = step;
        return { turns, ...(handOver === undefined ? {} : { handOver }) };
      },
    });
  }
  return group;
}

const conversations: Conversation[] = [];
for await (const conversation of readConversations(directory, { files: ['multi_agent.jsonl'] })) {
  conversations.push(conversation);
}

/** What AutoGen itself wrote about the ends of these runs. */
const ends: Readonly<Record<string, readonly (readonly [string, number, number])[]>> = {
  'autogen-swarm-c9': [
    ['hand-over to nobody', 529, 45],
    ['text', 841, 63],
  ],
  'autogen-swarm-c16': [['text', 4130, 1102]],
  'autogen-travel-planning-c4': [['text', 3991, 2460]],
};

describe('the teams of AutoGen, replayed by scripted agents', () => {
  it('are all there', () => {
    expect(conversations.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(ends)));
    expect(conversations).toHaveLength(8);
  });

  it.each(conversations.map((conversation) => [conversation.id, conversation] as const))(
    '%s: the same speakers, order, texts and usage',
    async (id, conversation) => {
      const sessions = await createSessions();
      onTestFinished(() => sessions.close());
      const { sessionId } = await sessions.manager.create({ userId: 'ada' });
      const parts = partsOf(conversation);
      const steps = parts.flatMap((part) => part.steps);
      const team = teamOf(sessions, id, steps);
      const results: GroupResult[] = [];
      for (const { message } of parts) results.push(await team.run(sessionId, message));

      expect(results.map(({ error }) => error)).toEqual(parts.map(() => undefined));
      expect(results.map(({ steps }) => steps)).toEqual(parts.map((part) => part.steps.length));
      const { turns } = await sessions.manager.getState(sessionId, { turns: 'all' });
      const replayed = turns.map(({ seq: _, timestamp: __, turnId: ___, ...turn }) => turn);
      const recorded = await copyOf(sessions, conversation);
      expect(replayed).toEqual(recorded.turns);
      const { state } = results.at(-1) as GroupResult;
      expect([state.totalTokens, state.totalCost]).toEqual([recorded.tokens, recorded.cost]);

      const told = ends[id];
      if (told === undefined) return;
      expect(results.map(({ detail, reason }) => [reason, detail])).toEqual(
        told.map(([detail]) => ['stopped', detail]),
      );
      const sum = told.reduce((all, [, prompt, completion]) => all + prompt + completion, 0);
      expect(state.totalTokens).toBe(sum);
    },
  );
});

/** The conversation as it was recorded, added turn by turn without a group. */
async function copyOf({ manager }: Sessions, { turns }: Conversation) {
  const { sessionId } = await manager.create({ userId: 'bob' });
  for (const { turn } of turns) await manager.addTurn(sessionId, turn);
  const state = await manager.getState(sessionId, { turns: 'all' });
  const said = state.turns.map(({ seq: _, timestamp: __, turnId: ___, ...turn }) => turn);
  return { turns: said, tokens: state.totalTokens, cost: state.totalCost };
}
