import {
  type AgentReply,
  type AgentTurn,
  type GroupEvent,
  RoleIsolation,
  type RoleIsolationOptions,
  SessionInputError,
  type SessionTurn,
} from '@lexigram/ai-session';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../scale.ts';
import { openSession, scripted } from './kit.ts';

const everybody = ['a', 'b', 'c', 'd'];
const roleNames = ['red', 'blue'];

/** What one agent does in its step, and who is meant to know of it. */
interface Plan {
  readonly visibleTo: readonly string[] | undefined;
  readonly hiddenFrom: readonly string[] | undefined;
  /** Whether the result of the tool call is to be seen by others than the call. */
  readonly resultHiddenFrom: readonly string[];
  readonly does: 'says' | 'calls' | 'thinks' | 'fails' | 'asks' | 'dangles';
  readonly variable: 'none' | 'open' | 'secret';
}

interface Case {
  readonly roles: readonly (string | null)[];
  readonly sight: RoleIsolationOptions['roles'];
  readonly rule: boolean;
  readonly toolCalls: 'own' | 'all';
  readonly plans: readonly Plan[];
}

const some = fc.subarray(everybody);
const maybe = fc.option(some, { nil: undefined, freq: 2 });
const plan: fc.Arbitrary<Plan> = fc.record({
  visibleTo: maybe,
  hiddenFrom: maybe,
  resultHiddenFrom: fc.subarray(everybody, { maxLength: 2 }),
  does: fc.constantFrom('says', 'says', 'calls', 'thinks', 'fails', 'asks', 'dangles'),
  variable: fc.constantFrom('none', 'open', 'secret'),
});
const sightOf = fc.record(
  { sees: fc.subarray(roleNames), hides: fc.subarray(roleNames) },
  { requiredKeys: [] },
);
const cases: fc.Arbitrary<Case> = fc.record({
  roles: fc.array(fc.option(fc.constantFrom(...roleNames)), { minLength: 4, maxLength: 4 }),
  sight: fc.record({ red: sightOf, blue: sightOf }, { requiredKeys: [] }) as fc.Arbitrary<
    RoleIsolationOptions['roles']
  >,
  rule: fc.boolean(),
  toolCalls: fc.constantFrom('own', 'all'),
  plans: fc.array(plan, { minLength: 4, maxLength: 12 }),
});

/** A case that was played: who spoke in each step. */
interface Played extends Case {
  readonly speakers: readonly string[];
}

/** A word that stands nowhere else. */
const secret = (step: number, what: string): string => `<${what}-${step}>`;

/** What was said at a step and who may know of it, by a reading of the rules that shares no code with ours. */
function knows(one: Played, step: number, viewer: string, what: string): boolean {
  const plan = one.plans[step - 1] as Plan;
  const speaker = one.speakers[step - 1] as string;
  const own = speaker === viewer;
  const roleOf = (name: string): string | null => one.roles[everybody.indexOf(name)] ?? null;
  if (what === 'variable')
    return plan.variable === 'open' || viewer === 'a' || roleOf(viewer) === 'red';
  // An error, and what a person is asked, are told to the agent itself alone.
  if (what === 'error') return own;
  const named = plan.visibleTo !== undefined;
  if (named && !plan.visibleTo.includes(viewer)) return false;
  if (!named && plan.hiddenFrom?.includes(viewer)) return false;
  if (one.rule && step % 3 === 0 && viewer === 'd') return false;
  const mine = roleOf(viewer);
  const theirs = roleOf(speaker);
  const sight = mine === null ? undefined : one.sight?.[mine];
  if (!own && sight !== undefined) {
    if (sight.sees !== undefined && !(theirs !== null && sight.sees.includes(theirs))) return false;
    if (theirs !== null && (sight.hides ?? []).includes(theirs)) return false;
  }
  if (what === 'text') return true;
  if (!own && one.toolCalls === 'own') return false;
  return what !== 'result' || named || !plan.resultHiddenFrom.includes(viewer);
}

const kinds = ['text', 'call', 'result', 'thought', 'error', 'variable'] as const;

/** Everything that reached an agent, by the way it came. */
interface Reached {
  readonly viewer: string;
  readonly way: 'history' | 'message' | 'variables' | 'event' | 'export';
  /** The steps that were done then. */
  readonly done: number;
  readonly text: string;
}

async function play(one: Case, isolation: RoleIsolation) {
  const sessions = await openSession();
  const reached: Reached[] = [];
  const histories: (readonly SessionTurn[])[] = [];
  const speakers: string[] = [];
  const group = sessions.group({
    roleIsolation: isolation,
    stopWhen: ({ step }) => step >= one.plans.length,
  });
  for (const [i, name] of everybody.entries()) {
    const agent = scripted(name, ({ step, variables }, message, history) => {
      const done = step - 1;
      histories.push(history);
      reached.push({ viewer: name, way: 'history', done, text: JSON.stringify(history) });
      reached.push({ viewer: name, way: 'message', done, text: message });
      reached.push({ viewer: name, way: 'variables', done, text: JSON.stringify(variables) });
      return answerOf(one.plans[step - 1] as Plan, step, isolation, name, one.roles[i] ?? null);
    });
    const role = one.roles[i];
    group.addAgent(agent, { onError: 'skip', ...(role == null ? {} : { role }) });
  }
  const streams = [group.stream(sessions.id, 'Begin.')];
  for (let stream = streams.pop(); stream !== undefined; stream = streams.pop()) {
    for await (const event of stream) {
      if (event.type === 'selected') speakers[event.step - 1] = event.agent;
      if (event.type === 'waiting') streams.push(group.resumeStream(sessions.id, 'go on'));
    }
  }
  const done = one.plans.length;
  for (const viewer of everybody) {
    const seen = await group.historyFor(sessions.id, viewer);
    histories.push(seen);
    reached.push({ viewer, way: 'export', done, text: JSON.stringify(seen) });
  }
  // The same run once more for each viewer, as its events.
  for (const viewer of everybody) {
    const { sessionId } = await sessions.manager.create({ userId: `for-${viewer}` });
    let input: string | undefined;
    for (;;) {
      const stream: AsyncIterable<GroupEvent> =
        input === undefined
          ? group.stream(sessionId, 'Begin.', { viewer })
          : group.resumeStream(sessionId, input, { viewer });
      let reason = '';
      for await (const event of stream) {
        const text = JSON.stringify(event, (_key, value: unknown) =>
          value instanceof Error ? value.message : value,
        );
        reached.push({ viewer, way: 'event', done, text });
        if (event.type === 'ended') reason = event.result.reason;
      }
      if (reason !== 'waiting') break;
      input = 'go on';
    }
  }
  return { played: { ...one, speakers }, reached, histories };
}

function answerOf(
  plan: Plan,
  step: number,
  isolation: RoleIsolation,
  name: string,
  role: string | null,
): AgentReply {
  const { does, hiddenFrom, resultHiddenFrom, variable, visibleTo } = plan;
  const who = {
    ...(visibleTo === undefined ? {} : { visibleTo }),
    ...(hiddenFrom === undefined ? {} : { hiddenFrom }),
  };
  const text: AgentTurn = { ...who, content: secret(step, 'text') };
  const patch =
    variable === 'none' ||
    (variable === 'secret' && !isolation.allowsVariable('secret', { name, role }))
      ? {}
      : { variables: { [variable]: secret(step, 'variable') } };
  const toolCalls = [{ id: 'the-same', name: 'tool', arguments: secret(step, 'call') }];
  const result: AgentTurn = {
    ...who,
    role: 'tool',
    toolCallId: 'the-same',
    content: secret(step, 'result'),
    hiddenFrom: [...(hiddenFrom ?? []), ...resultHiddenFrom],
  };
  switch (does) {
    case 'fails':
      throw new Error(secret(step, 'error'));
    case 'says':
      return { ...text, ...patch };
    case 'asks':
      return { ...text, ...patch, ask: 'May I?' };
    case 'calls':
      return { turns: [{ ...text, toolCalls }, result], ...patch };
    case 'dangles':
      return { turns: [{ ...text, toolCalls }], ...patch };
    case 'thinks': {
      const content = [
        { type: 'reasoning', text: secret(step, 'thought') },
        { type: 'text', text: secret(step, 'text') },
      ] as const;
      return { ...text, content, ...patch };
    }
  }
}

/** What reached somebody who may not know it. */
function leaks(one: Played, reached: readonly Reached[]): string[] {
  const found: string[] = [];
  for (const { text, viewer, way } of reached) {
    for (let step = 1; step <= one.plans.length; step++) {
      for (const what of kinds) {
        if (text.includes(secret(step, what)) && !knows(one, step, viewer, what)) {
          found.push(`${secret(step, what)} reached ${viewer} by its ${way}`);
        }
      }
    }
  }
  return found;
}

/** Texts that an agent may know and did not get. */
function missing(one: Played, reached: readonly Reached[]): string[] {
  return reached.flatMap(({ done, text, viewer, way }) => {
    if (way !== 'history' && way !== 'export') return [];
    const lacks: string[] = [];
    for (let step = 1; step <= done; step++) {
      const said = (one.plans[step - 1] as Plan).does !== 'fails';
      if (said && knows(one, step, viewer, 'text') && !text.includes(secret(step, 'text'))) {
        lacks.push(`${secret(step, 'text')} did not reach ${viewer} by its ${way}`);
      }
    }
    return lacks;
  });
}

/** What a provider would refuse: a result that does not stand behind its call, a call without a result. */
function faultsForProvider(turns: readonly SessionTurn[]): string[] {
  const faults: string[] = [];
  let open = new Set<string>();
  for (const { role, seq, toolCallId = '', toolCalls = [] } of turns) {
    if (role === 'tool') {
      if (!open.delete(toolCallId)) faults.push(`the result at ${seq} has no call`);
      continue;
    }
    if (open.size > 0) faults.push(`a call before ${seq} has no result`);
    open = new Set(toolCalls.map(({ id }) => id));
  }
  if (open.size > 0) faults.push('the last call has no result');
  return faults;
}

function isolationOf(one: Case, Isolation = RoleIsolation): RoleIsolation {
  return new Isolation({
    roles: one.sight,
    toolCalls: one.toolCalls,
    variables: { secret: ['a', 'red'] },
    ...(one.rule
      ? {
          rule: (turn, { name }) =>
            name !== 'd' || !/-(3|6|9|12)>/.test(JSON.stringify(turn.content)),
        }
      : {}),
  });
}

describe('isolation', () => {
  it('holds on every way to an agent, whatever the rules, and shows all that is allowed', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { histories, played, reached } = await play(one, isolationOf(one));
        expect(leaks(played, reached)).toEqual([]);
        expect(missing(played, reached)).toEqual([]);
        expect(histories.flatMap(faultsForProvider)).toEqual([]);
      }),
      runs(30),
    );
  });

  it.each([
    ['forgets hiddenFrom', (turn: SessionTurn) => ({ ...turn, hiddenFrom: [] })],
    ['forgets visibleTo', (turn: SessionTurn) => ({ ...turn, visibleTo: [...everybody] })],
    ['forgets who spoke', ({ agent: _, ...turn }: SessionTurn) => turn],
  ])('that %s would be found', async (_what, change) => {
    class Broken extends RoleIsolation {
      override allows(...[turn, ...rest]: Parameters<RoleIsolation['allows']>): boolean {
        return super.allows(change(turn), ...rest);
      }
    }
    const found: string[] = [];
    for (const one of fc.sample(cases, runs(30))) {
      const { played, reached } = await play(one, isolationOf(one, Broken));
      found.push(...leaks(played, reached));
    }
    expect(found.length).toBeGreaterThan(10);
  });
});

describe('what is shown of tool calls', () => {
  const turn = (seq: number, fields: Partial<SessionTurn>): SessionTurn => ({
    turnId: `t${seq}`,
    seq,
    role: 'assistant',
    content: '',
    timestamp: '2026-01-01T00:00:00.000Z',
    ...fields,
  });
  const calls = (...ids: string[]) => ids.map((id) => ({ id, name: 'x', arguments: {} }));
  const isolation = new RoleIsolation();
  const seqs = (turns: readonly SessionTurn[]) =>
    isolation.filterVisible(turns, { name: 'a', role: null }).map(({ seq }) => seq);

  it('puts a late result behind its call, and takes the nearest call of an id that comes twice', () => {
    expect(
      seqs([
        turn(1, { agent: 'a', toolCalls: calls('x', 'y') }),
        turn(2, { role: 'user', content: 'Well?' }),
        turn(3, { agent: 'a', role: 'tool', toolCallId: 'y' }),
        turn(4, { agent: 'a', toolCalls: calls('x') }),
        turn(5, { agent: 'a', role: 'tool', toolCallId: 'x' }),
        turn(6, { agent: 'a', role: 'tool', toolCallId: 'x' }),
      ]),
    ).toEqual([1, 3, 2, 4, 5]);
  });

  it('leaves out calls without a result, and turns of which nothing is left', () => {
    const [first, ...rest] = isolation.filterVisible(
      [
        turn(1, { agent: 'a', toolCalls: calls('x', 'y'), content: 'I look.' }),
        turn(2, { agent: 'a', role: 'tool', toolCallId: 'y' }),
        turn(3, { agent: 'a', toolCalls: calls('z') }),
        turn(4, { agent: 'b', toolCalls: calls('q') }),
        turn(5, { agent: 'b', role: 'tool', toolCallId: 'q', content: 'secret' }),
      ],
      { name: 'a', role: null },
    );
    expect(first?.toolCalls).toEqual(calls('y'));
    expect(rest.map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('rules that cannot be kept', () => {
  it.each([
    { rule: 'no' },
    { toolCalls: 'some' },
    { roles: { red: { sees: 'blue' } } },
    { roles: { red: { likes: [] } } },
    { roles: [] },
    { variables: { x: [7] } },
    { other: 1 },
  ])('are refused: %j', (options) => {
    expect(() => new RoleIsolation(options as never)).toThrow(SessionInputError);
  });

  it('show nothing: an answer that is neither true nor false stops the run', async () => {
    const sessions = await openSession();
    const rule = (async () => false) as never;
    const group = sessions.group({ roleIsolation: { rule } });
    group.addAgent(scripted('a'));
    await expect(group.run(sessions.id, 'Hi')).rejects.toThrow('must answer true or false');
  });
});
