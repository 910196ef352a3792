import { type AgentReply, type StopCondition, SwarmTurnManager, stop } from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { openSession, scripted } from './kit.ts';

const usage = { inputTokens: 80, outputTokens: 20 };

/** Steps that two agents do, and why they stop, at most ten. */
async function steps(
  stopWhen: StopCondition | (() => boolean | string | Promise<boolean>),
  says: (agent: string, step: number) => AgentReply = () => ({ content: 'x' }),
): Promise<[number, string | null]> {
  const sessions = await openSession();
  const group = sessions.group({ stopWhen });
  for (const name of ['a', 'b']) {
    group.addAgent(scripted(name, ({ step }) => ({ usage, cost: 0.1, ...says(name, step) })));
  }
  const { detail, reason, steps: done } = await group.run(sessions.id, 'STOP', { maxSteps: 10 });
  return [done, reason === 'steps' ? null : detail];
}

describe('a run stops', () => {
  it.each([
    ['after rounds', stop.rounds(2), 4, 'rounds 2'],
    ['after turns', stop.turns(3), 3, 'turns 3'],
    ['once tokens are spent', stop.tokens(201), 3, 'tokens 201'],
    ['once it cost enough, without the errors of floats', stop.cost(0.3), 3, 'cost 0.3'],
    ['at once, if nothing may be spent', stop.tokens(0), 0, 'tokens 0'],
    ['when both are met', stop.turns(2).and(stop.tokens(400)), 4, 'turns 2 and tokens 400'],
    ['when one is met', stop.turns(8).or(stop.cost(0.2)), 2, 'cost 0.2'],
    ['never by what is not met', stop.text('STOP'), 10, null],
  ])('%s', async (_what, condition, count, detail) => {
    expect(await steps(condition)).toEqual([count, detail]);
  });

  it('by what an agent says, not the user', async () => {
    const says = (_: string, step: number) => ({
      content: step === 3 ? 'So we are done. STOP' : 'x',
    });
    expect(await steps(stop.text('STOP'), says)).toEqual([3, 'text']);
    // A pattern with a memory of its own would miss every second time.
    const pattern = /\bstop\b/giy;
    expect(await steps(stop.text(pattern).and(stop.turns(3)), () => ({ content: 'stop' }))).toEqual(
      [3, 'text and turns 3'],
    );
  });

  it('by a hand-over to nobody, which is what stops a run that was told nothing', async () => {
    const handsOver = (_: string, step: number) => ({
      content: 'x',
      ...(step === 2 ? { handOver: null } : {}),
    });
    expect(await steps(stop.handOver(), handsOver)).toEqual([2, 'hand-over to nobody']);
    expect(await steps(stop.turns(4), handsOver)).toEqual([4, 'turns 4']);
    const toB = (agent: string, step: number) => ({
      content: 'x',
      ...(agent === 'a' && step > 1 ? { handOver: 'b' } : {}),
    });
    expect(await steps(stop.handOver('b'), toB)).toEqual([3, 'hand-over to b']);
  });

  it('by repetition of texts, and of a pair', async () => {
    const says = (_: string, step: number) => ({ content: step < 5 ? `${step}` : ' again ' });
    expect(await steps(stop.repetition(), says)).toEqual([7, 'the same text 3 times']);
    expect(await steps(stop.repetition({ texts: 2 }), says)).toEqual([6, 'the same text 2 times']);
    expect(await steps(stop.repetition({ pairs: 3 }))).toEqual([6, 'the same pair 3 times']);
  });

  it('by one agent talking on and on only if its text is the same', async () => {
    const sessions = await openSession();
    const turnManager = new SwarmTurnManager();
    const group = sessions.group({ turnManager, stopWhen: stop.repetition({ pairs: 2 }) });
    group.addAgent(scripted('a')).addAgent(scripted('b'));
    expect((await group.run(sessions.id, 'Hi', { maxSteps: 6 })).reason).toBe('steps');
  });

  it('by a signal from outside, after the step under way', async () => {
    const outside = new AbortController();
    const says = (_: string, step: number) => {
      if (step === 2) outside.abort();
      return { content: 'x' };
    };
    expect(await steps(stop.signal(outside.signal), says)).toEqual([2, 'signal']);
  });

  it('by a function, at once or later', async () => {
    let left = 3;
    expect(await steps(() => --left < 0)).toEqual([3, 'function']);
    left = 2;
    expect(await steps(async () => --left < 0)).toEqual([2, 'function']);
    expect(await steps(() => 'enough')).toEqual([0, 'enough']);
    const both = stop
      .when(async () => true)
      .and(stop.turns(2))
      .or(stop.when(async () => false));
    expect(await steps(both)).toEqual([2, 'function and turns 2']);
  });

  it('after the time that it worked, in whatever processes, but not that a person took', async () => {
    const sessions = await openSession();
    const waits = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const elapsed: number[] = [];
    const group = sessions.group({
      stopWhen: stop.time(3_600_000).or(
        stop.when(({ elapsedMs }) => {
          elapsed.push(elapsedMs);
          return false;
        }),
      ),
    });
    group.addAgent(
      scripted('a', async ({ step }) => {
        await waits(20);
        return step === 1 ? { ask: 'Go on?' } : 'x';
      }),
    );
    const begun = performance.now();
    await group.run(sessions.id, 'Hi');
    const asked = performance.now();
    await waits(200);
    const answered = performance.now();
    await group.resume(sessions.id, 'Yes', { signal: AbortSignal.timeout(60_000) });
    const worked = performance.now() - answered + asked - begun;
    expect(elapsed.at(-1)).toBeGreaterThan(15);
    expect(elapsed.at(-1)).toBeLessThan(worked + 1);
    expect(await steps(stop.time(0))).toEqual([0, 'time 0']);
    const other = await openSession();
    const hour = other.group().addAgent(scripted('a'));
    expect(await hour.run(other.id, 'Hi', { maxMs: 0 })).toMatchObject({
      reason: 'time',
      steps: 0,
    });
    // The step that was just done counts.
    const busy = () => {
      const until = performance.now() + 12;
      while (performance.now() < until);
      return { content: 'x' };
    };
    expect(await steps(stop.time(10), busy)).toEqual([1, 'time 10']);
  });

  it('before an agent is paid for, with what was spent before a crash', async () => {
    const sessions = await openSession();
    const asked: number[] = [];
    const group = sessions.group({ stopWhen: stop.tokens(200) });
    group.addAgent(
      scripted('a', ({ step }) => {
        asked.push(step);
        if (step === 2 && asked.length === 2) throw new Error('crash');
        return { content: 'x', usage };
      }),
    );
    expect((await group.run(sessions.id, 'Hi')).reason).toBe('error');
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'stopped', steps: 2 });
    expect(asked).toEqual([1, 2, 2]);
  });

  it('when what became true while nobody worked is judged again', async () => {
    const sessions = await openSession();
    let enough = false;
    const group = sessions.group({ stopWhen: () => enough });
    group.addAgent(scripted('a', () => ({ ask: 'More?' })));
    await group.run(sessions.id, 'Hi');
    enough = true;
    expect(await group.resume(sessions.id, 'Yes')).toMatchObject({ reason: 'stopped', steps: 1 });
  });

  it('not at all if the condition fails: the run stops as failed, and is judged again', async () => {
    const sessions = await openSession();
    let broken = true;
    let step = 0;
    const group = sessions.group({
      stopWhen: () => {
        if (broken && step === 1) throw new Error('broken');
        return step === 3;
      },
    });
    group.addAgent(
      scripted('a', ({ step: now }) => {
        step = now;
        return now === 2 ? { ask: 'More?' } : 'x';
      }),
    );
    expect(await group.run(sessions.id, 'Hi')).toMatchObject({ reason: 'error', steps: 1 });
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'error', steps: 1 });
    broken = false;
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'waiting', steps: 2 });
    broken = true;
    step = 1;
    expect(await group.resume(sessions.id, 'Yes')).toMatchObject({ reason: 'error', steps: 2 });
    broken = false;
    expect(await group.resume(sessions.id)).toMatchObject({ reason: 'stopped', steps: 3 });
  });

  it.each([
    () => stop.rounds(-1),
    () => stop.turns(1.5),
    () => stop.tokens(undefined as never),
    () => stop.cost(Number.NaN),
    () => stop.text(''),
    () => stop.text(7 as never),
    () => stop.repetition({ texts: 1 }),
    () => stop.repetition({ often: 2 } as never),
    () => stop.signal({} as never),
    () => stop.when(true as never),
    () => stop.handOver('a\u0000'),
  ])('but not by what is no condition: %s', (make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'LEX_ERR_SES_014' }));
  });
});
