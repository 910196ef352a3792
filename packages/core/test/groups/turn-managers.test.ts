import {
  LlmDirectedTurnManager,
  PriorityTurnManager,
  RoundRobinTurnManager,
  SwarmTurnManager,
  TopicBasedTurnManager,
  type TurnManager,
} from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { foldText, mentions } from '../../src/groups/mentions.ts';
import { eventsOf, openSession, scripted } from './kit.ts';

/** Who speaks if three agents, a, b and c, say what the script says. */
async function speakers(
  turnManager: TurnManager | undefined,
  options: { readonly maxRounds?: number; readonly maxSteps?: number } = {},
  says: (agent: string, step: number) => string = (agent) => agent,
  message = 'Begin.',
): Promise<string[]> {
  const sessions = await openSession();
  const group = sessions.group({ turnManager });
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    group.addAgent(
      scripted(name, ({ step }) => says(name, step)),
      { priority: i },
    );
  }
  const events = await eventsOf(group.stream(sessions.id, message, options));
  return events.flatMap((event) =>
    event.type === 'selected'
      ? `${event.agent}${event.round}${event.fallback === undefined ? '' : ` ${event.fallback}`}`
      : [],
  );
}

describe('round robin', () => {
  it('lets each speak once a round, in the order in which they were added', async () => {
    const turnManager = new RoundRobinTurnManager({ maxRounds: 2 });
    expect(await speakers(turnManager)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
    expect(await speakers(turnManager, { maxRounds: 1 })).toEqual(['a1', 'b1', 'c1']);
  });

  it('is what a configuration without a word means, for ten rounds', async () => {
    expect(await speakers(undefined)).toHaveLength(30);
  });
});

describe('priority', () => {
  it('lets each speak once a round, the highest first', async () => {
    const turnManager = new PriorityTurnManager({ priorities: { b: 9 }, maxRounds: 2 });
    expect(await speakers(turnManager)).toEqual(['b1', 'c1', 'a1', 'b2', 'c2', 'a2']);
  });

  it('takes the priorities of addAgent, and equals in their order', async () => {
    expect(await speakers(new PriorityTurnManager({ maxRounds: 1 }))).toEqual(['c1', 'b1', 'a1']);
    const equal = new PriorityTurnManager({ priorities: new Map([['a', 2]]), maxRounds: 1 });
    expect(await speakers(equal)).toEqual(['a1', 'c1', 'b1']);
  });

  it('is a strategy of the configuration', async () => {
    const sessions = await openSession({ defaultTurnStrategy: 'priority' });
    const group = sessions.group();
    group.addAgent(scripted('low'), { priority: 1 }).addAgent(scripted('high'), { priority: 2 });
    const events = await eventsOf(group.stream(sessions.id, 'Hi', { maxSteps: 1 }));
    expect(events).toContainEqual(expect.objectContaining({ type: 'selected', agent: 'high' }));
  });
});

describe('topics', () => {
  it('follow the keyword of the latest turn', async () => {
    const says = (agent: string) =>
      ({ a: 'now the cost', b: 'nothing', c: 'the STYLE!' })[agent] ?? '';
    const topicMap = { cost: 'b', style: 'a', 'time line': 'c' };
    const turnManager = new TopicBasedTurnManager({ topicMap, fallbackAgent: 'c' });
    expect(await speakers(turnManager, { maxSteps: 5 }, says, 'What of the time line?')).toEqual([
      'c1',
      'a1',
      'b1',
      'c2',
      'a2',
    ]);
  });

  it('end the run if nothing is said of them and nobody stands by', async () => {
    const turnManager = new TopicBasedTurnManager({ topicMap: { cost: 'b' } });
    expect(await speakers(turnManager, {}, () => 'no', 'cost')).toEqual(['b1']);
  });

  it('end after the rounds', async () => {
    const turnManager = new TopicBasedTurnManager({
      topicMap: {},
      fallbackAgent: 'a',
      maxRounds: 2,
    });
    expect(await speakers(turnManager)).toHaveLength(6);
  });
});

describe('a keyword', () => {
  it.each([
    ['art', 'The art of it', true],
    ['art', 'start, party', false],
    ['art', 'ART.', true],
    ['art', 'state-of-the-art', true],
    ['art', 'art_1', false],
    ['time line', 'the time line', true],
    ['time line', 'the time lines', false],
    ['größe', 'GRÖSSE oder Größe?', true],
    ['straße', 'Hauptstraße', false],
    ['cafe\u0301', 'un caf\u00e9', true],
    ['cafe', 'caf\u00e9', false],
    ['退款', '我要退款，谢谢', true],
    ['退款', '我要换货', false],
    ['返金', '返金をお願いします', true],
    ['환불', '환불을 원해요', true],
    ['불을', '환불을 원해요', false],
    ['คืนเงิน', 'ขอคืนเงินหน่อย', true],
    ['возврат', 'Нужен ВОЗВРАТ!', true],
    ['возврат', 'возврата нет', false],
    ['استرداد', 'أريد استرداد المال', true],
    ['ｒｅｆｕｎｄ', 'a refund', true],
    ['💸', 'no 💸💸 left', true],
    ['c++', 'in C++ only', true],
    ['.*', 'a.b', false],
  ])('%s in %s: %s', (word, text, is) => {
    expect(mentions(foldText(text), foldText(word))).toBe(is);
  });
});

describe('a choice by a model', () => {
  const directed = (...answers: unknown[]) => {
    const left = [...answers];
    return new LlmDirectedTurnManager({
      select: async () => {
        const answer = left.shift();
        if (answer instanceof Error) throw answer;
        return answer as string;
      },
    });
  };

  it('is taken by name, also out of a text that names one agent', async () => {
    const turnManager = directed('c', ' a ', 'I think that B should speak.');
    expect(await speakers(turnManager, { maxSteps: 3 })).toEqual(['c1', 'a1', 'b1']);
  });

  it('is made by rule, and told, if it names nobody, nobody known, two, or the last one, or fails', async () => {
    const turnManager = directed(null, 'zoe', 'a or b', 'a', new Error('down'), undefined, 7);
    expect(await speakers(turnManager, { maxSteps: 7 })).toEqual([
      'a1 nobody',
      'b1 unknown',
      'c1 unknown',
      'a2',
      'b2 failed',
      'c2 nobody',
      'a3 unknown',
    ]);
    expect(await speakers(directed('a', 'a'), { maxSteps: 2 })).toEqual(['a1', 'b1 repeated']);
  });

  it('may be the same again where that is allowed', async () => {
    const turnManager = new LlmDirectedTurnManager({ select: () => 'a', allowRepeats: true });
    expect(await speakers(turnManager, { maxSteps: 2 })).toEqual(['a1', 'a1']);
  });

  it('sees the turn that is about to be stored', async () => {
    const seen: unknown[] = [];
    const turnManager = new LlmDirectedTurnManager({
      select: ({ agents, latest, turns }) => {
        seen.push(latest?.content, turns.length);
        return agents[0]?.name;
      },
    });
    await speakers(turnManager, { maxSteps: 2 });
    expect(seen).toEqual(['Begin.', 1, 'a', 2]);
  });
});

describe('a swarm', () => {
  it('goes on with whom the conversation was handed to, also in the next run', async () => {
    const sessions = await openSession();
    const heard: string[] = [];
    const group = sessions.group({ turnManager: new SwarmTurnManager({ firstAgent: 'desk' }) });
    for (const name of ['refunds', 'desk']) {
      group.addAgent(
        scripted(name, (_context, message) => {
          heard.push(`${name}: ${message}`);
          if (name === 'desk') return { content: 'One moment.', handOver: 'refunds' };
          return { content: 'Your number?', handOver: null };
        }),
      );
    }
    expect(await group.run(sessions.id, 'My money, please')).toMatchObject({
      reason: 'stopped',
      detail: 'hand-over to nobody',
    });
    await group.run(sessions.id, '4711');
    expect(heard).toEqual(['desk: My money, please', 'refunds: One moment.', 'refunds: 4711']);
  });
});

describe('a turn manager of one’s own', () => {
  it('keeps its state in the session', async () => {
    const turnManager: TurnManager = {
      selectNext: ({ managerState }) => {
        const n = ((managerState as number | null) ?? 0) + 1;
        return { agent: n > 3 ? null : 'b', state: n };
      },
    };
    expect(await speakers(turnManager)).toEqual(['b1', 'b1', 'b1']);
    // The same object again: nothing stayed in it.
    expect(await speakers(turnManager)).toEqual(['b1', 'b1', 'b1']);
  });

  it('may answer with a promise of any make', async () => {
    const lazy = (agent: string | null): Promise<string | null> => {
      const later: PromiseLike<string | null> = {
        // biome-ignore lint/suspicious/noThenProperty: that is what such a promise is
        then: (fulfilled, rejected) => Promise.resolve(agent).then(fulfilled, rejected),
      };
      return later as Promise<string | null>;
    };
    const turnManager: TurnManager = { selectNext: ({ step }) => lazy(step === 2 ? null : 'b') };
    expect(await speakers(turnManager)).toEqual(['b1', 'b1']);
    const select = () => lazy('c');
    const directed = new LlmDirectedTurnManager({ select });
    expect(await speakers(directed, { maxSteps: 1 })).toEqual(['c1']);
  });

  it('that always says null ends the run before anybody spoke', async () => {
    const sessions = await openSession();
    const group = sessions.group({ turnManager: { selectNext: () => null } });
    group.addAgent(scripted('a'));
    expect(await group.run(sessions.id, 'Hi')).toMatchObject({ reason: 'complete', steps: 0 });
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'complete', steps: 0 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
    ],
    ['names a stranger', () => 'zoe'],
    ['answers nonsense', () => 7 as never],
    ['names a stranger later', async () => ({ agent: 'zoe' })],
    ['keeps too much', () => ({ agent: 'a', state: 'x'.repeat(70_000) })],
    ['keeps what is no JSON', () => ({ agent: 'a', state: (() => {}) as never })],
  ])('that %s stops the run, keeps what was said, and is asked again', async (_what, select) => {
    const sessions = await openSession();
    let broken = true;
    const turnManager: TurnManager = {
      selectNext: (view) => (view.step === 1 && broken ? select() : view.step > 2 ? null : 'a'),
    };
    const group = sessions.group({ turnManager }).addAgent(scripted('a'));
    const events = await eventsOf(group.stream(sessions.id, 'Hi'));
    expect(events.at(-2)).toMatchObject({ type: 'error', agent: null, action: 'stop' });
    expect(events.at(-1)).toMatchObject({ result: { reason: 'error', steps: 1 } });
    broken = false;
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'complete', steps: 3 });
    expect((await sessions.manager.getState(sessions.id)).turnCount).toBe(4);
  });
});
