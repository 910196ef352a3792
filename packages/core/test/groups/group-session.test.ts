import {
  type AgentContext,
  GroupSession,
  InMemorySessionStore,
  PriorityTurnManager,
  SessionClosedError,
  SessionConflictError,
  SessionLeaseError,
  SessionManager,
  type SessionTurn,
  SessionUnsupportedError,
  stop,
} from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { eventsOf, openSession, scripted, told } from './kit.ts';

describe('a group', () => {
  it('lets its agents speak in turn, each hearing what was said before', async () => {
    const sessions = await openSession();
    const heard: string[] = [];
    const group = sessions.group();
    for (const name of ['ann', 'bob']) {
      group.addAgent(
        scripted(name, ({ step }, message, history) => {
          heard.push(`${name} ${history.length} ${message}`);
          return `${name} ${step}`;
        }),
      );
    }
    expect(group.agentNames).toEqual(['ann', 'bob']);
    const result = await group.run(sessions.id, 'Begin.', { maxRounds: 2 });
    expect(result).toMatchObject({ reason: 'rounds', steps: 4, rounds: 2, question: null });
    expect(result.state.turnCount).toBe(5);
    expect(await told(sessions, sessions.id)).toEqual([
      'user: Begin.',
      'ann: ann 1',
      'bob: bob 2',
      'ann: ann 3',
      'bob: bob 4',
    ]);
    expect(heard).toEqual(['ann 1 Begin.', 'bob 2 ann 1', 'ann 3 bob 2', 'bob 4 ann 3']);
    expect(Object.isFrozen(result)).toBe(true);
  });

  it('tells what happens as events, each turn once it is stored', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(
      scripted('ann', async function* () {
        yield 'Hel';
        yield 'lo';
      }),
    );
    const events = await eventsOf(group.stream(sessions.id, 'Hi', { maxSteps: 1 }));
    expect(events.map(({ type }) => type)).toEqual([
      'turn',
      'selected',
      'delta',
      'delta',
      'turn',
      'ended',
    ]);
    expect(events[4]).toMatchObject({ agent: 'ann', step: 1, turn: { seq: 2, content: 'Hello' } });
    expect(events[5]).toMatchObject({ result: { reason: 'steps', state: { turnCount: 2 } } });
  });

  it('writes a patch of the variables with the turn, and shows it to the next agent', async () => {
    const sessions = await openSession();
    const group = sessions
      .group()
      .addAgent(scripted('ann', () => ({ content: 'Set.', variables: { mood: 'good' } })))
      .addAgent(scripted('bob', ({ variables }) => `The mood is ${variables['mood']}.`));
    const { state } = await group.run(sessions.id, 'Hi', { maxRounds: 1 });
    expect(state.variables).toEqual({ mood: 'good' });
    expect((await told(sessions, sessions.id)).at(-1)).toBe('bob: The mood is good.');
  });

  it('hears what others add meanwhile', async () => {
    const sessions = await openSession();
    const seen: number[] = [];
    const group = sessions.group().addAgent(
      scripted('ann', async ({ step }, _message, history) => {
        seen.push(history.length);
        if (step === 1) {
          await sessions.manager.addTurns(
            sessions.id,
            Array.from({ length: 3 }, (_, i) => ({ role: 'user', content: `Wait ${i}.` })),
            { variables: { waits: true } },
          );
        }
        return `said ${step}`;
      }),
    );
    const { state } = await group.run(sessions.id, 'Hi', { maxSteps: 2 });
    expect(seen).toEqual([1, 5]);
    expect(state.variables).toEqual({ waits: true });
  });

  it('hands over to a named agent, past the turn manager, which then goes on where it was', async () => {
    const sessions = await openSession();
    const group = sessions.group();
    group.addAgent(
      scripted('a', ({ step }) => ({
        content: `${step}`,
        ...(step === 1 ? { handOver: 'c' } : {}),
      })),
    );
    for (const name of ['b', 'c']) group.addAgent(scripted(name));
    const events = await eventsOf(group.stream(sessions.id, 'Hi', { maxSteps: 4 }));
    const speakers = events.flatMap((event) => (event.type === 'selected' ? event.agent : []));
    expect(speakers).toEqual(['a', 'c', 'b', 'c']);
    expect(events).toContainEqual({ type: 'hand_over', agent: 'a', step: 1, to: 'c' });
  });

  it('is one run a session: who comes while it works is told who holds it', async () => {
    const sessions = await openSession();
    let busy: unknown;
    const group = sessions.group();
    group.addAgent(
      scripted('ann', async () => {
        busy = await Promise.allSettled([
          group.run(sessions.id, 'Me too'),
          group.resume(sessions.id),
        ]);
        return 'done';
      }),
    );
    await group.run(sessions.id, 'Hi', { maxSteps: 1 });
    for (const { reason } of busy as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(SessionLeaseError);
      expect((reason as SessionLeaseError).holder).toContain(`:${process.pid}:`);
      expect((reason as Error).message).toContain(`:${process.pid}:`);
    }
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'ann: done']);
    // The lease was given back.
    await expect(group.run(sessions.id, 'Again', { maxSteps: 1 })).resolves.toMatchObject({
      steps: 1,
    });
  });

  it('can be shared by sessions, and share its turn manager with other groups', async () => {
    const sessions = await openSession();
    const other = (await sessions.manager.create({ userId: 'bob' })).sessionId;
    const turnManager = new PriorityTurnManager({ priorities: { b: 2, a: 1 }, maxRounds: 2 });
    const group = sessions.group({ turnManager });
    for (const name of ['a', 'b']) group.addAgent(scripted(name, async () => name));
    await Promise.all([group.run(sessions.id, 'Hi'), group.run(other, 'Hi')]);
    for (const id of [sessions.id, other]) {
      expect(await told(sessions, id)).toEqual(['user: Hi', 'b: b', 'a: a', 'b: b', 'a: a']);
    }
  });

  it('tells its agents whose session it is, and which step is done under which key', async () => {
    const sessions = await openSession();
    await sessions.manager.setMetadata(sessions.id, { topic: 'trains' });
    const contexts: AgentContext[] = [];
    const group = sessions.group().addAgent(
      scripted('ann', (context) => {
        contexts.push(context);
        return 'x';
      }),
      { role: 'clerk' },
    );
    const { runId } = await group.run(sessions.id, 'Hi', { maxSteps: 2 });
    const session = {
      sessionId: sessions.id,
      tenantId: null,
      userId: 'ada',
      metadata: { topic: 'trains' },
    };
    expect(contexts).toMatchObject(
      [1, 2].map((step) => ({
        sessionId: sessions.id,
        session,
        runId,
        agent: 'ann',
        role: 'clerk',
        step,
        key: `${runId}.${step}`,
        attempt: 1,
      })),
    );
    expect(Object.isFrozen(contexts[0]?.session.metadata)).toBe(true);
  });

  it('shows its agents the newest part of a very long history', async () => {
    const sessions = await openSession({ maxTurnsPerSession: 20_000 });
    const batch = Array.from({ length: 100 }, () => ({ role: 'user', content: 'x' }) as const);
    for (let n = 0; n < 101; n++) await sessions.manager.addTurns(sessions.id, batch);
    let shown: readonly SessionTurn[] = [];
    const group = sessions.group().addAgent(
      scripted('ann', (_context, _message, history) => {
        shown = history;
        return 'x';
      }),
    );
    await group.run(sessions.id, 'Hi', { maxSteps: 1 });
    expect([shown.length, shown[0]?.seq, shown.at(-1)?.content]).toEqual([10_001, 101, 'Hi']);
  });

  it('counts what it spent', async () => {
    const sessions = await openSession();
    const spent: unknown[] = [];
    const usage = { inputTokens: 10, outputTokens: 5 };
    const group = sessions.group().addAgent(
      scripted('ann', (context) => {
        spent.push(context.spent);
        return { content: 'x', usage, cost: 0.25 };
      }),
    );
    const { state } = await group.run(sessions.id, 'Hi', { maxSteps: 3 });
    expect(spent).toEqual([0, 1, 2].map((n) => ({ turns: n, tokens: n * 15, cost: n * 0.25 })));
    expect(state).toMatchObject({ totalTokens: 45, totalCost: 0.75 });
  });
});

describe('a run that does not go to its end', () => {
  it('is cancelled by its signal, and resumed with the same step', async () => {
    const sessions = await openSession();
    const keys: string[] = [];
    const cancel = new AbortController();
    const group = sessions.group();
    let told = false;
    group.addAgent(
      scripted('ann', ({ key, signal }) => {
        keys.push(key);
        if (keys.length > 1) return 'here';
        signal.addEventListener('abort', () => {
          told = true;
        });
        queueMicrotask(() => cancel.abort());
        return new Promise(() => {});
      }),
    );
    const cancelled = await group.run(sessions.id, 'Hi', { maxSteps: 1, signal: cancel.signal });
    expect(cancelled).toMatchObject({ reason: 'cancelled', steps: 0 });
    expect(told).toBe(true);
    await sessions.manager.addTurn(sessions.id, { role: 'user', content: 'Go on' });
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'steps', steps: 1 });
    expect(new Set(keys).size).toBe(1);
    expect(keys.length).toBe(2);
    // What has ended is answered as it is.
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'steps', steps: 1 });
  });

  it('does not begin with an aborted signal', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann'));
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(group.run(sessions.id, 'Hi', { signal })).rejects.toThrow('too late');
    expect(await told(sessions, sessions.id)).toEqual([]);
  });

  it('is cancelled by leaving its stream', async () => {
    const sessions = await openSession();
    let signal: AbortSignal | undefined;
    const group = sessions.group().addAgent(
      scripted('ann', async function* (context) {
        signal = context.signal;
        yield 'one';
        yield 'two';
      }),
    );
    for await (const event of group.stream(sessions.id, 'Hi')) if (event.type === 'delta') break;
    expect(signal?.aborted).toBe(true);
    const record = await sessions.store.record(sessions.id, 'group', 'run');
    expect(JSON.parse(record?.value ?? '')).toMatchObject({
      status: 'stopped',
      reason: 'cancelled',
    });
    expect((await group.resume(sessions.id)).reason).toBe('complete');
  });

  it('is superseded by a move of the session, whose turns stay out of sight', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(
      scripted('ann', async ({ step }) => {
        if (step === 2) await sessions.manager.rewind(sessions.id, { toSeq: 1 });
        return `said ${step}`;
      }),
    );
    const result = await group.run(sessions.id, 'Hi');
    expect(result).toMatchObject({ reason: 'superseded', steps: 1 });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
    expect((await group.resume(sessions.id)).reason).toBe('superseded');
    expect((await group.run(sessions.id, 'Once more', { maxSteps: 1 })).reason).toBe('steps');
  });

  it.each(['close', 'suspend'] as const)('ends when the session is told to %s', async (verb) => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(
      scripted('ann', async () => {
        await sessions.manager[verb](sessions.id);
        return 'too late';
      }),
    );
    const result = await group.run(sessions.id, 'Hi');
    expect(result.reason).toBe(verb === 'close' ? 'closed' : 'suspended');
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi']);
    if (verb === 'close') {
      await expect(group.run(sessions.id, 'Hi')).rejects.toThrow(SessionClosedError);
    } else {
      await sessions.manager.resume(sessions.id);
      expect((await group.resume(sessions.id)).reason).toBe('suspended');
    }
  });

  it('ends with the turn that fills the cap, which is told', async () => {
    const sessions = await openSession({ maxTurnsPerSession: 3 });
    const group = sessions.group().addAgent(scripted('ann'));
    const events = await eventsOf(group.stream(sessions.id, 'Hi'));
    expect(events.map(({ type }) => type).slice(-3)).toEqual(['selected', 'turn', 'ended']);
    const result = await group.resume(sessions.id);
    expect(result).toMatchObject({
      reason: 'turn_limit',
      state: { turnCount: 3, status: 'closed' },
    });
  });

  it('is answered as before if the same operation is asked for again', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann'));
    const options = { maxSteps: 2, operationId: 'op-1' };
    const once = await group.run(sessions.id, 'Hi', options);
    const again = await group.run(sessions.id, 'Hi', options);
    expect(again).toEqual(once);
    expect(again.state.turnCount).toBe(3);
    await expect(group.run(sessions.id, 'Other', options)).rejects.toThrow(SessionConflictError);
  });

  it('cannot be resumed if there was none', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(scripted('ann'));
    await expect(group.resume(sessions.id)).rejects.toMatchObject({ reason: 'run' });
    await group.run(sessions.id, 'Hi', { maxSteps: 1 });
    await expect(group.resume(sessions.id, 'what?')).rejects.toMatchObject({ reason: 'run' });
  });
});

describe('where a group stands', () => {
  it('is over any manager of this process', async () => {
    const manager = new SessionManager({ store: new InMemorySessionStore() });
    const { sessionId } = await manager.create({ userId: 'ada' });
    const group = new GroupSession({ manager }).addAgent(scripted('ann'));
    expect((await group.run(sessionId, 'Hi', { maxSteps: 1 })).steps).toBe(1);
  });

  it('is within an owner, if the manager is', async () => {
    const sessions = await openSession();
    const mine = sessions.as({ userId: 'ada' }).group().addAgent(scripted('ann'));
    const theirs = sessions.as({ userId: 'eve' }).group().addAgent(scripted('ann'));
    expect((await mine.run(sessions.id, 'Hi', { maxSteps: 1 })).steps).toBe(1);
    await expect(theirs.run(sessions.id, 'Hi')).rejects.toThrow('Session not found');
    await expect(theirs.resume(sessions.id)).rejects.toThrow('Session not found');
    await expect(theirs.historyFor(sessions.id, 'ann')).rejects.toThrow('Session not found');
  });

  it('is not over a manager that only looks like one', () => {
    const client = { create: () => {}, addTurn: () => {} };
    expect(() => new GroupSession({ manager: client })).toThrow(SessionUnsupportedError);
  });
});

describe('errors of agents', () => {
  const failing = (times: number) => {
    let left = times;
    return scripted('ann', ({ attempt }) => {
      if (left-- > 0) throw new Error(`failed in try ${attempt}`);
      return 'made it';
    });
  };

  it('stop the run, which can be resumed', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(failing(1));
    const result = await group.run(sessions.id, 'Hi', { maxSteps: 1 });
    expect(result).toMatchObject({
      reason: 'error',
      steps: 0,
      error: { message: 'failed in try 1' },
    });
    expect(result.detail).not.toContain('failed in try');
    expect((await group.resume(sessions.id)).steps).toBe(1);
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'ann: made it']);
  });

  it('are retried with the same key', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(failing(1), { retries: 1 });
    const events = await eventsOf(group.stream(sessions.id, 'Hi', { maxSteps: 1 }));
    expect(events.filter(({ type }) => type === 'error')).toMatchObject([
      { attempt: 1, action: 'retry' },
    ]);
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'ann: made it']);
  });

  it('let the next one speak', async () => {
    const sessions = await openSession();
    const group = sessions.group().addAgent(failing(9), { onError: 'skip' });
    group.addAgent(scripted('bob', () => 'I can'));
    expect(await group.run(sessions.id, 'Hi', { maxRounds: 1 })).toMatchObject({ steps: 2 });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'bob: I can']);
  });

  it('let another one speak instead', async () => {
    const sessions = await openSession();
    const group = sessions.group({ stopWhen: stop.handOver('cid') });
    group.addAgent(failing(9), { onError: { fallback: 'cid' } });
    group.addAgent(scripted('bob', () => 'bob'));
    group.addAgent(scripted('cid', () => 'I stand in'));
    await group.run(sessions.id, 'Hi', { maxSteps: 3 });
    expect(await told(sessions, sessions.id)).toEqual(['user: Hi', 'cid: I stand in', 'bob: bob']);
  });

  it('are told when an agent is too late', async () => {
    const sessions = await openSession();
    let aborted = false;
    const group = sessions.group().addAgent(
      scripted('ann', ({ signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise(() => {});
      }),
      { timeoutMs: 5 },
    );
    const result = await group.run(sessions.id, 'Hi');
    expect(result).toMatchObject({
      reason: 'error',
      error: { message: expect.stringContaining('5 ms') },
    });
    expect(aborted).toBe(true);
  });
});
