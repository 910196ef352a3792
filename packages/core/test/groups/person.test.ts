import {
  createSessions,
  InMemorySessionStore,
  type ResumeInput,
  SessionClosedError,
  SessionExpiredError,
  SessionInputError,
  type ToolCall,
} from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { eventsOf, openSession, scripted, told } from './kit.ts';

const call: ToolCall = { id: 'c1', name: 'pay', arguments: '{"usd":5}' };

/** An agent that wants to pay, and what its tool was called with. */
function paying() {
  const paid: unknown[] = [];
  const agent = scripted(
    'till',
    (_context, _message, history) =>
      history.some(({ role }) => role === 'tool')
        ? { content: 'Done.', handOver: null }
        : { content: 'I pay.', toolCalls: [call, { ...call, id: 'c2', name: 'look' }] },
    {
      callTool: ({ arguments: given, name }) => {
        paid.push(name, given);
        return `${name} ok`;
      },
    },
  );
  return { agent, paid };
}

const askBefore = ({ toolCall }: { readonly toolCall: ToolCall | null }) =>
  toolCall?.name === 'pay' && 'Pay 5 USD?';

describe('a question of an agent', () => {
  it('suspends the run with the question stored, and the answer goes to the agent', async () => {
    const sessions = await openSession();
    const group = sessions.group();
    group.addAgent(
      scripted('ann', (_context, message) =>
        message === 'Rome' ? { content: 'To Rome!', handOver: null } : { ask: 'Where to?' },
      ),
    );
    group.addAgent(scripted('bob'));
    const events = await eventsOf(group.stream(sessions.id, 'A ticket'));
    const question = { agent: 'ann', about: 'question', text: 'Where to?', toolCall: null };
    expect(events.slice(-2)).toMatchObject([
      { type: 'waiting', question },
      { type: 'ended', result: { reason: 'waiting', question, steps: 1 } },
    ]);
    // Whoever asks is told that it waits.
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'waiting', question });
    const answered = await eventsOf(group.resumeStream(sessions.id, 'Rome'));
    expect(answered.map(({ type }) => type)).toEqual([
      'turn',
      'selected',
      'turn',
      'hand_over',
      'ended',
    ]);
    expect(await told(sessions, sessions.id)).toEqual([
      'user: A ticket',
      'ann: Where to?',
      'user: Rome',
      'ann: To Rome!',
    ]);
  });

  it('lets the time to live stand still until it is answered', async () => {
    let now = 1_000_000;
    const store = new InMemorySessionStore({ clock: () => now });
    const sessions = await createSessions({ sessionTtl: 60 }, { store });
    const { sessionId } = await sessions.manager.create({ userId: 'ada' });
    const group = sessions
      .group()
      .addAgent(
        scripted('ann', (_context, message) =>
          message === 'yes' ? { content: 'Good.', handOver: null } : { ask: 'Sure?' },
        ),
      );
    const asked = await group.run(sessionId, 'Hi');
    expect(asked.state.expiresAt).toBe(null);
    now += 30 * 24 * 3_600_000;
    const { state } = await group.resume(sessionId, 'yes');
    expect(state.status).toBe('active');
    expect(Date.parse(state.expiresAt ?? '')).toBe(now + 60_000);
    now += 60_000;
    await expect(group.run(sessionId, 'More')).rejects.toThrow(SessionExpiredError);
  });

  it('is answered once: of two answers one is told that nothing is asked any more', async () => {
    const sessions = await openSession();
    const group = sessions
      .group()
      .addAgent(
        scripted('ann', ({ step }) =>
          step === 1 ? { ask: 'Sure?' } : { content: 'Good.', handOver: null },
        ),
      );
    await group.run(sessions.id, 'Hi');
    const answers = await Promise.allSettled([
      group.resume(sessions.id, 'yes'),
      group.resume(sessions.id, 'no'),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await told(sessions, sessions.id)).toHaveLength(4);
  });

  it('is not answered in a group without the agent that asked: nothing is written', async () => {
    const sessions = await openSession();
    await sessions
      .group()
      .addAgent(scripted('ann', () => ({ ask: 'Sure?' })))
      .run(sessions.id, 'Hi');
    const other = sessions.group().addAgent(scripted('bob'));
    await expect(other.resume(sessions.id, 'yes')).rejects.toThrow("the turn of 'ann'");
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'ann: Sure?']);
    other.addAgent(scripted('ann', () => ({ content: 'Good.', handOver: null })));
    expect(await other.resume(sessions.id, 'yes')).toMatchObject({ reason: 'stopped' });
  });

  it('is dropped by a new run, and by a move', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann', () => ({ ask: 'Sure?' })));
    const first = await group.run(sessions.id, 'Hi');
    const second = await group.run(sessions.id, 'Forget it');
    expect(second.runId).not.toBe(first.runId);
    await sessions.manager.rewind(sessions.id, { toSeq: 1 });
    expect(await group.resume(sessions.id, 'yes')).toMatchObject({ reason: 'superseded' });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
  });

  it('is not answered in a closed session', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann', () => ({ ask: 'Sure?' })));
    await group.run(sessions.id, 'Hi');
    await sessions.manager.close(sessions.id);
    await expect(group.resume(sessions.id, 'yes')).rejects.toThrow(SessionClosedError);
  });
});

describe('a tool call that a person is asked about', () => {
  const decide = async (...inputs: ResumeInput[]) => {
    const sessions = await openSession();
    const { agent, paid } = paying();
    const group = sessions.group({ askBefore }).addAgent(agent);
    const asked = await group.run(sessions.id, 'Buy it');
    expect(asked).toMatchObject({
      reason: 'waiting',
      question: { agent: 'till', about: 'tool_call', text: 'Pay 5 USD?', toolCall: call },
    });
    expect(paid).toEqual([]);
    let result = asked;
    for (const input of inputs) result = await group.resume(sessions.id, input);
    expect(result.reason).toBe('stopped');
    const { turns } = await sessions.manager.getState(sessions.id, { turns: 'all' });
    expect(turns.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'tool',
      'assistant',
    ]);
    expect(turns[1]?.toolCalls?.[0]).toEqual(call);
    return { paid, result: turns[2] };
  };

  it('runs when it is approved', async () => {
    const { paid, result } = await decide({ approve: true });
    expect(paid).toEqual(['pay', '{"usd":5}', 'look', '{"usd":5}']);
    expect(result).toMatchObject({
      content: 'pay ok',
      toolCallId: 'c1',
      name: 'pay',
      agent: 'till',
    });
  });

  it('runs as it was edited, which stands with its result', async () => {
    const { paid, result } = await decide({ edit: { usd: 1 } });
    expect(paid).toEqual(['pay', { usd: 1 }, 'look', '{"usd":5}']);
    expect(result?.metadata).toEqual({ arguments: { usd: 1 } });
  });

  it('does not run when it is refused, and the agent is told why', async () => {
    const { paid, result } = await decide({ refuse: 'too dear' });
    expect(paid).toEqual(['look', '{"usd":5}']);
    expect(result).toMatchObject({ content: 'Refused: too dear', isError: true });
  });

  it('takes nothing else, and asks on', async () => {
    const sessions = await openSession();
    const { agent, paid } = paying();
    const group = sessions.group({ askBefore }).addAgent(agent);
    await group.run(sessions.id, 'Buy it');
    const wrong: unknown[] = [
      'yes',
      {},
      { approve: false },
      { approve: true, refuse: 'x' },
      { refuse: '' },
      { edit: undefined },
      { edit: () => {} },
      { role: 'user', content: 'yes' },
      null,
      7,
    ];
    for (const input of wrong) {
      await expect(
        group.resume(sessions.id, input as never),
        JSON.stringify(input),
      ).rejects.toThrow(SessionInputError);
    }
    expect(paid).toEqual([]);
    expect((await group.resume(sessions.id, { approve: true })).reason).toBe('stopped');
  });

  it('is asked about one call at a time', async () => {
    const sessions = await openSession();
    const { agent, paid } = paying();
    const group = sessions
      .group({ askBefore: ({ toolCall }) => toolCall !== null })
      .addAgent(agent);
    const first = await group.run(sessions.id, 'Buy it');
    const second = await group.resume(sessions.id, { approve: true });
    expect([first.question?.toolCall?.id, second.question?.toolCall?.id]).toEqual(['c1', 'c2']);
    expect(second.question?.text).toBe("May 'till' call 'look'?");
    expect(paid).toEqual([]);
    await group.resume(sessions.id, { refuse: 'no need' });
    expect(paid).toEqual(['pay', '{"usd":5}']);
  });
});

describe('a rule before an agent speaks', () => {
  const askFirst = async () => {
    const sessions = await openSession();
    const group = sessions.group({ askBefore: async ({ agent }) => agent === 'bob' });
    group
      .addAgent(scripted('ann', () => 'ann'))
      .addAgent(scripted('bob', (_c, message) => `bob on ${message}`));
    const asked = await group.run(sessions.id, 'Hi', { maxRounds: 1 });
    expect(asked.question).toMatchObject({ agent: 'bob', about: 'turn', text: "May 'bob' speak?" });
    return { sessions, resume: (input: ResumeInput) => group.resume(sessions.id, input) };
  };

  it.each([
    ['lets it speak', { approve: true }, ['user: Hi', 'ann: ann', 'bob: bob on ann']],
    ['passes it over', { refuse: 'not now' }, ['user: Hi', 'ann: ann']],
    [
      'says something first',
      'Be brief',
      ['user: Hi', 'ann: ann', 'user: Be brief', 'bob: bob on Be brief'],
    ],
  ] as const)('%s', async (_what, input, lines) => {
    const { resume, sessions } = await askFirst();
    expect((await resume(input)).reason).toBe('rounds');
    expect(await told(sessions, sessions.id)).toEqual(lines);
  });

  it('has no call to edit', async () => {
    const { resume } = await askFirst();
    await expect(resume({ edit: {} })).rejects.toThrow(SessionInputError);
  });

  it('that answers nonsense stops the run without asking the agent', async () => {
    const sessions = await openSession();
    const group = sessions.group({ askBefore: () => 7 as never }).addAgent(scripted('ann'));
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow(SessionInputError);
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
  });
});

describe('tools of agents', () => {
  it('are called by the group, and the agent goes on with their results', async () => {
    const sessions = await openSession();
    const { agent, paid } = paying();
    const group = sessions.group().addAgent(agent).addAgent(scripted('bob'));
    const result = await group.run(sessions.id, 'Buy it');
    expect(result).toMatchObject({ reason: 'stopped', steps: 3 });
    expect(paid).toHaveLength(4);
  });

  it('that fail are answered so', async () => {
    const sessions = await openSession();
    const fails = [
      () => {
        throw new Error('no network');
      },
      async () => {
        throw new Error('no network');
      },
      () => undefined as never,
      () => ({ content: 'x', other: 1 }) as never,
      () => 'x'.repeat(2_000_000),
    ];
    const toolCalls = fails.map((_, i) => ({ ...call, id: `c${i}` }));
    const agent = scripted(
      'ann',
      ({ step }) => (step === 1 ? { toolCalls } : { content: 'I see.', handOver: null }),
      { callTool: ({ id }) => (fails[Number(id[1])] as () => string)() },
    );
    await sessions.group().addAgent(agent).run(sessions.id, 'Hi');
    const { turns } = await sessions.manager.getState(sessions.id, { turns: 'all' });
    const results = turns.filter(({ role }) => role === 'tool');
    expect(results.map(({ isError }) => isError)).toEqual(fails.map(() => true));
    expect(results[0]?.content).toBe('no network');
  });

  it('that never answer are too late, and the agent goes on', async () => {
    const sessions = await openSession();
    const hanging: ToolCall = { ...call, id: 'c2', name: 'hang' };
    const agent = scripted(
      'ann',
      ({ step }) =>
        step === 1 ? { toolCalls: [call, hanging] } : { content: 'I see.', handOver: null },
      { callTool: ({ name }) => (name === 'hang' ? new Promise<never>(() => {}) : 'ok') },
    );
    const group = sessions.group().addAgent(agent, { timeoutMs: 20 });
    expect((await group.run(sessions.id, 'Hi')).reason).toBe('stopped');
    const { turns } = await sessions.manager.getState(sessions.id, { turns: 'all' });
    const results = turns.filter(({ role }) => role === 'tool');
    expect(results).toMatchObject([{ content: 'ok' }, { isError: true }]);
    expect(results[1]?.content).toContain('20 ms');
  });

  it('of an agent that answers its calls itself are its own business', async () => {
    const sessions = await openSession();
    const agent = scripted(
      'ann',
      () => ({
        turns: [
          { toolCalls: [call] },
          { role: 'tool', toolCallId: 'c1', content: 'ok' },
          { content: 'Paid.' },
        ],
        handOver: null,
      }),
      {
        callTool: () => {
          throw new Error('never');
        },
      },
    );
    await sessions.group().addAgent(agent).run(sessions.id, 'Hi');
    expect((await told(sessions, sessions.id)).slice(1)).toEqual([
      'ann: ',
      'ann: ok',
      'ann: Paid.',
    ]);
  });

  it('are called again with the same key if it is not known whether they ran', async () => {
    const sessions = await openSession();
    const keys: string[] = [];
    const cancel = new AbortController();
    const agent = scripted(
      'ann',
      ({ step }) => (step === 1 ? { toolCalls: [call] } : { content: 'Good.', handOver: null }),
      {
        callTool: (_call, { key }) => {
          keys.push(key);
          if (keys.length > 1) return 'ok';
          queueMicrotask(() => cancel.abort());
          return new Promise(() => {});
        },
      },
    );
    const group = sessions.group().addAgent(agent);
    expect((await group.run(sessions.id, 'Hi', { signal: cancel.signal })).reason).toBe(
      'cancelled',
    );
    expect((await group.resume(sessions.id)).reason).toBe('stopped');
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });
});
