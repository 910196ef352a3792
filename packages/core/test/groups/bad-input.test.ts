import {
  type AgentOptions,
  createModelAgent,
  createModelSelector,
  createSessions,
  InMemorySessionStore,
  isSessionError,
  LlmDirectedTurnManager,
  limits,
  PriorityTurnManager,
  RoundRobinTurnManager,
  SessionCapacityError,
  SessionConflictError,
  SessionExpiredError,
  SessionInputError,
  SessionLimitError,
  SessionNotFoundError,
  SwarmTurnManager,
  TopicBasedTurnManager,
} from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { eventsOf, openSession, scripted, told } from './kit.ts';

const nothing = () => 'x';

describe('an agent is refused', () => {
  it.each([
    ['nothing', undefined],
    ['no object', 'ann'],
    ['no name', { execute: nothing }],
    ['an empty name', { name: '', execute: nothing }],
    ['a name with a control character', { name: 'a\u0007b', execute: nothing }],
    ['a name with a space at its end', { name: 'ann ', execute: nothing }],
    ['a name of 129 characters', { name: 'a'.repeat(129), execute: nothing }],
    ['half a character', { name: 'a\ud800', execute: nothing }],
    ['__proto__', { name: '__proto__', execute: nothing }],
    ['constructor', { name: 'constructor', execute: nothing }],
    ['system', { name: 'system', execute: nothing }],
    ['user', { name: 'user', execute: nothing }],
    ['nothing to execute', { name: 'ann' }],
    ['no function', { name: 'ann', execute: 'x' }],
    ['a tool that is no function', { name: 'ann', execute: nothing, callTool: {} }],
    ['a description that is no text', { name: 'ann', execute: nothing, description: 7 }],
    [
      'a getter that throws',
      {
        get name() {
          throw new Error('x');
        },
      },
    ],
  ])('with %s', async (_what, agent) => {
    const sessions = await openSession();
    const group = sessions.group();
    expect(() => group.addAgent(agent as never)).toThrow(
      expect.toSatisfy(
        (error) => error instanceof SessionInputError || error instanceof SessionLimitError,
      ),
    );
    expect(group.agentNames).toEqual([]);
  });

  it.each([
    { role: '' },
    { priority: Number.NaN },
    { priority: '1' },
    { timeoutMs: -1 },
    { timeoutMs: 2 ** 31 },
    { retries: 11 },
    { onError: 'ignore' },
    { onError: { fallback: 'ann' } },
    { onError: {} },
    { other: 1 },
  ])('with the options %j', async (options) => {
    const sessions = await openSession();
    expect(() => sessions.group().addAgent(scripted('ann'), options as AgentOptions)).toThrow(
      SessionInputError,
    );
  });

  it('the second time, and past the cap', async () => {
    const sessions = await openSession({ maxAgentsPerGroup: 2 });
    const group = sessions.group().addAgent(scripted('ann'));
    expect(() => group.addAgent(scripted('ann'))).toThrow(SessionInputError);
    group.addAgent(scripted('bob'));
    expect(() => group.addAgent(scripted('cid'))).toThrow(SessionCapacityError);
    expect(group.agentNames).toEqual(['ann', 'bob']);
  });
});

describe('a group is refused', () => {
  it.each([
    { turnManager: 'topic' },
    { turnManager: 'llm_directed' },
    { turnManager: 'zoe' },
    { turnManager: {} },
    { roleIsolation: 7 },
    { stopWhen: 'now' },
    { askBefore: true },
    { leaseMs: 9 },
    { leaseMs: 3_600_001 },
    { other: 1 },
    { manager: {} },
  ])('with %j', async (options) => {
    const sessions = await openSession();
    expect(() => sessions.group(options as never)).toThrow(SessionInputError);
  });

  it('for a strategy of the configuration that needs more than a name', async () => {
    const sessions = await openSession({ defaultTurnStrategy: 'topic' });
    expect(() => sessions.group()).toThrow('TopicBasedTurnManager');
  });
});

describe('a turn manager is refused', () => {
  it.each([
    () => new RoundRobinTurnManager({ maxRounds: 0 }),
    () => new RoundRobinTurnManager({ rounds: 1 } as never),
    () => new PriorityTurnManager({ priorities: { a: 'high' } as never }),
    () => new PriorityTurnManager({ priorities: [] as never }),
    () => new TopicBasedTurnManager({} as never),
    () => new TopicBasedTurnManager({ topicMap: { '': 'a' } }),
    () => new TopicBasedTurnManager({ topicMap: { ' ': 'a' } }),
    () => new TopicBasedTurnManager({ topicMap: { a: 7 } as never }),
    () => new LlmDirectedTurnManager({} as never),
    () => new LlmDirectedTurnManager({ select: nothing, allowRepeats: 1 as never }),
    () => new SwarmTurnManager({ firstAgent: '' }),
  ])('%s', (make) => {
    expect(make).toThrow(SessionInputError);
  });

  it.each([
    new PriorityTurnManager({ priorities: { zoe: 1 } }),
    new TopicBasedTurnManager({ topicMap: { x: 'zoe' } }),
    new TopicBasedTurnManager({ topicMap: {}, fallbackAgent: 'zoe' }),
    new SwarmTurnManager({ firstAgent: 'zoe' }),
  ])('by a run, if it names a stranger: %o', async (turnManager) => {
    const sessions = await openSession();
    const group = sessions.group({ turnManager }).addAgent(scripted('ann'));
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow("no agent 'zoe'");
    expect(await told(sessions, sessions.id)).toEqual([]);
  });
});

describe('what asks a model is refused', () => {
  it.each([
    () => createModelAgent({ name: 'a' }),
    () => createModelAgent({ name: 'a', generate: nothing as never, stream: nothing as never }),
    () => createModelAgent({ name: 'a', generate: nothing as never, tools: { t: 1 } as never }),
    () => createModelAgent({ name: 'a', generate: nothing as never, instructions: 7 as never }),
    () => createModelAgent({ name: 'a', generate: nothing as never, maxTokens: -1 }),
    () => createModelAgent({ name: 'a', generate: nothing as never, other: 1 } as never),
    () => createModelSelector({} as never),
    () => createModelSelector({ generate: nothing as never, instructions: 7 as never }),
    () => createModelSelector({ generate: nothing as never, maxTurns: 1.5 }),
    () => createModelSelector({ generate: nothing as never, timeoutMs: -1 }),
  ])('%s', (make) => {
    expect(make).toThrow(SessionInputError);
  });
});

describe('a run is refused, and nothing is written', () => {
  it.each([
    ['nothing to say', undefined, {}],
    ['null', null, {}],
    ['a number', 7, {}],
    ['half a character', 'a\ud800', {}],
    ['a turn with an id', { role: 'user', content: 'x', turnId: 't' }, {}],
    ['a turn with a field of its own', { content: 'x', mood: 'bad' }, {}],
    ['a message for a stranger', { content: 'x', visibleTo: ['zoe'] }, {}],
    ['rounds that are none', 'x', { maxRounds: -1 }],
    ['steps that are none', 'x', { maxSteps: 1.5 }],
    ['time that is none', 'x', { maxMs: '1h' }],
    ['a signal that is none', 'x', { signal: {} }],
    ['an option that is none', 'x', { rounds: 1 }],
    ['an operation that is none', 'x', { operationId: 'ä' }],
    ['options that are none', 'x', 7],
  ])('with %s', async (_what, message, options) => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann'));
    await expect(group.run(sessions.id, message as never, options as never)).rejects.toThrow(
      SessionInputError,
    );
    expect((await sessions.manager.getState(sessions.id)).revision).toBe(1);
    expect(await sessions.store.record(sessions.id, 'group', 'run')).toBe(null);
  });

  it('without agents, without a session, for a stranger as the viewer or the fallback', async () => {
    const sessions = await openSession();
    const group = sessions.group();
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow(SessionInputError);
    await expect(group.resume(sessions.id)).rejects.toThrow(SessionInputError);
    group.addAgent(scripted('ann'));
    await expect(group.run('nobody', 'Hi')).rejects.toThrow(SessionNotFoundError);
    await expect(group.run('*', 'Hi')).rejects.toThrow(SessionInputError);
    await expect(eventsOf(group.stream(sessions.id, 'Hi', { viewer: 'zoe' }))).rejects.toThrow(
      SessionInputError,
    );
    await expect(group.historyFor(sessions.id, 'zoe')).rejects.toThrow(SessionInputError);
    group.addAgent(scripted('bob'), { onError: { fallback: 'zoe' } });
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow(SessionInputError);
    expect(await told(sessions, sessions.id)).toEqual([]);
  });
});

describe('an agent that does wrong stops its run, and writes nothing', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  it.each([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['rejects with nothing', () => Promise.reject()],
    [
      'rejects',
      async () => {
        throw new Error('x');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns a number', () => 7],
    ['returns an empty list', () => []],
    ['returns an empty object', () => ({})],
    ['returns 10 MB', () => 'x'.repeat(10_485_760)],
    [
      'returns 10 MB bit by bit',
      async function* () {
        for (;;) yield 'x'.repeat(65_536);
      },
    ],
    ['returns 101 turns', () => Array.from({ length: 101 }, () => ({ content: 'x' }))],
    ['returns what is no turn', () => [7]],
    ['returns a class of its own', () => new Map()],
    ['returns itself', () => ({ content: 'x', metadata: circular })],
    ['names another speaker', () => ({ content: 'x', agent: 'bob' })],
    ['chooses an id', () => ({ content: 'x', turnId: 't' })],
    ['shows a turn to a stranger', () => ({ content: 'x', visibleTo: ['zoe'] })],
    ['hides a turn from a stranger', () => ({ content: 'x', hiddenFrom: ['zoe'] })],
    ['hands over to itself', () => ({ content: 'x', handOver: 'ann' })],
    ['hands over to a stranger', () => ({ content: 'x', handOver: 'zoe' })],
    ['hands over to a number', () => ({ content: 'x', handOver: 7 })],
    ['asks nothing', () => ({ ask: ' ' })],
    ['asks 2 MB', () => ({ content: 'x', ask: 'x'.repeat(2_000_000) })],
    ['asks half a character', () => ({ content: 'x', ask: 'a\ud800' })],
    ['asks and hands over', () => ({ ask: 'x', handOver: 'bob' })],
    ['gives a turn and turns', () => ({ content: 'x', turns: [] })],
    ['sets a variable that is no JSON', () => ({ content: 'x', variables: { f: nothing } })],
    [
      'sets a variable of __proto__',
      () => ({ content: 'x', variables: JSON.parse('{"__proto__":1}') }),
    ],
    ['sets too large variables', () => ({ content: 'x', variables: { a: 'x'.repeat(70_000) } })],
    [
      'has a getter that throws',
      () => ({
        get content() {
          throw new Error('x');
        },
      }),
    ],
    [
      'streams what is no text',
      async function* () {
        yield 'a';
        yield 7;
      },
    ],
    [
      'breaks off its stream',
      async function* () {
        yield 'a';
        throw new Error('x');
      },
    ],
    ['streams nothing', async function* () {}],
    ['returns half a character', () => 'a\ud800'],
  ])('%s', async (_what, execute) => {
    const sessions = await openSession();
    const group = sessions.group({ leaseMs: 60_000 });
    group.addAgent({ name: 'ann', execute: execute as never }).addAgent(scripted('bob'));
    const result = await group.run(sessions.id, 'Hi');
    expect(result).toMatchObject({ reason: 'error', steps: 0, detail: "the agent 'ann' failed" });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
    expect(result.state.variables).toEqual({});
    // The lease is free at once.
    expect((await group.run(sessions.id, 'Hi')).reason).toBe('error');
  });

  it('grows the variables past their cap: as if it had failed', async () => {
    const sessions = await openSession();
    await sessions.manager.setVariables(sessions.id, { a: 'x'.repeat(40_000) });
    const group = sessions.group();
    group.addAgent(
      scripted('ann', () => ({ content: 'x', variables: { b: 'x'.repeat(40_000) } })),
      { onError: 'skip' },
    );
    const events = await eventsOf(group.stream(sessions.id, 'Hi', { maxSteps: 1 }));
    const failed = events.find(({ type }) => type === 'error');
    expect(failed).toMatchObject({ action: 'skip', error: { limit: 'variablesBytes' } });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
  });

  it('never returns: its signal, or its time, ends it', async () => {
    const sessions = await openSession();
    const group = sessions
      .group()
      .addAgent(
        { name: 'ann', execute: () => new Promise<never>(() => {}) },
        { timeoutMs: 1, onError: 'skip' },
      );
    expect(await group.run(sessions.id, 'Hi', { maxSteps: 2 })).toMatchObject({ steps: 2 });
  });

  it('hands over for ever: the cap of steps ends it', async () => {
    const sessions = await openSession();
    const group = sessions.group();
    group.addAgent(scripted('ann', () => ({ handOver: 'bob' })));
    group.addAgent(scripted('bob', () => ({ handOver: 'ann' })));
    expect(await group.run(sessions.id, 'Hi')).toMatchObject({ reason: 'steps', steps: 200 });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
  });

  it('uses the session itself meanwhile: what that throws is the agent’s error', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(
      scripted('ann', async () => {
        await sessions.manager.getState('no-such-session');
        return 'x';
      }),
    );
    const { error, reason } = await group.run(sessions.id, 'Hi');
    expect(reason).toBe('error');
    expect(error).toBeInstanceOf(SessionNotFoundError);
  });
});

describe('a session that goes away while its group runs', () => {
  it('was deleted: the run is told so', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(
      scripted('ann', async () => {
        await sessions.manager.delete(sessions.id);
        return 'x';
      }),
    );
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow(SessionNotFoundError);
  });

  it('has expired: the run ends so', async () => {
    let now = 1_000_000;
    const store = new InMemorySessionStore({ clock: () => now });
    const sessions = await createSessions({ sessionTtl: 60 }, { store });
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    const group = sessions.group({ leaseMs: 3_600_000 }).addAgent(
      scripted('ann', ({ step }) => {
        if (step === 2) now += 60_000;
        return 'x';
      }),
    );
    expect(await group.run(sessionId, 'Hi')).toMatchObject({ reason: 'expired', steps: 1 });
    await expect(group.run(sessionId, 'Hi')).rejects.toThrow(SessionExpiredError);
  });

  it('was taken over by a newer run: the old one cannot be resumed as what it was', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann', () => ({ ask: 'x' })));
    await group.run(sessions.id, 'Hi');
    await group.run(sessions.id, 'Hi again');
    await expect(group.resume(sessions.id, 'yes')).resolves.toMatchObject({ steps: 2 });
  });
});

it('errors carry nothing of what was said', async () => {
  const sessions = await openSession();
  const secret = 'zqc4n4ry';
  const group = sessions.group();
  const wrong: unknown[] = [
    { content: secret, turns: [secret] },
    [secret],
    { [secret]: 1, content: secret },
    { ask: 7, content: secret },
    `${secret}\ud800`,
    `${secret}${'x'.repeat(limits.turnBytes)}`,
  ];
  let given: unknown;
  group.addAgent({ name: 'ann', execute: () => given as never });
  for (given of wrong) {
    const { error } = await group.run(sessions.id, 'Hi');
    expect(isSessionError(error)).toBe(true);
    // The name of a field is no content.
    if (!(typeof given === 'object' && given !== null && secret in given)) {
      expect(String(error)).not.toContain(secret);
    }
  }
  await expect(group.resume(sessions.id, secret)).rejects.toThrow(SessionConflictError);
});
