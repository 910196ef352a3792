import { SessionInputError, SessionLimitError } from '../errors.ts';
import type { Lease } from '../manager/lease.ts';
import { kindOf } from '../session/ids.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { writtenTurn } from '../session/read-turn.ts';
import type { SessionTurn, ToolCall } from '../session/turn.ts';
import type { SessionRow } from '../store/rows.ts';
import type { GroupMember } from './agent.ts';
import { AgentCalls, AgentFault, keyOf } from './agent-calls.ts';
import { chooseNext, type Next, over } from './choose-next.ts';
import type { GroupEvent, GroupResult } from './group-event.ts';
import type { GroupParts } from './group-parts.ts';
import { GroupView } from './group-view.ts';
import type { ParsedAnswer } from './parse-answer.ts';
import type { Question } from './question.ts';
import { RunFeed } from './run-feed.ts';
import { resultOf } from './run-result.ts';
import type { LastStep, RunState } from './run-state.ts';
import type { Seat } from './seat.ts';
import { EndOfRun, StoredRun } from './stored-run.ts';
import { Interrupted } from './try-agent.ts';

type Events<T = void> = AsyncGenerator<GroupEvent, T, undefined>;

/** A run that holds its lease: does step after step, each one atomic with where the run then stands. */
export class GroupRun {
  readonly #parts: GroupParts;
  readonly #sessionId: string;
  readonly #agents: readonly GroupMember[];
  readonly #calls: AgentCalls;
  readonly #feed: RunFeed;
  /** A choice that was begun before its step was stored. */
  #choice: Promise<Next> | null = null;
  #fallback: Next['fallback'];
  /** What may have come true while nobody worked is judged once more. */
  #judgesAgain = false;
  #error: unknown;

  private constructor(
    parts: GroupParts,
    sessionId: string,
    agents: readonly GroupMember[],
    calls: AgentCalls,
    feed: RunFeed,
  ) {
    this.#parts = parts;
    this.#sessionId = sessionId;
    this.#agents = agents;
    this.#calls = calls;
    this.#feed = feed;
  }

  /** Reads the history of a session; each turn goes to those who may see it. */
  static async open(parts: GroupParts, row: SessionRow): Promise<GroupRun> {
    const agents = Object.freeze([...parts.seats.values()].map(({ member }) => member));
    const calls = new AgentCalls(parts, agents);
    const feed = await RunFeed.open(parts.engine, row, (turn) => calls.hear(turn));
    return new GroupRun(parts, row.sessionId, agents, calls, feed);
  }

  get feed(): RunFeed {
    return this.#feed;
  }

  /** What the run came to, for a run that is not running. */
  result(state: RunState): Promise<GroupResult> {
    return resultOf(this.#parts.engine, this.#sessionId, state, this.#error);
  }

  /** What follows, with turns that are about to be written; a choice that takes time goes on after the commit. */
  choose(state: RunState, drafts: readonly TurnDraft[]): RunState {
    const { turns } = this.#feed;
    const seq = (turns.at(-1)?.seq ?? 0) + 1;
    const at = Date.now();
    const coming = drafts.map((draft, i) => writtenTurn(draft, { seq: seq + i, at }));
    try {
      const next = chooseNext(this.#parts, this.#agents, this.#sessionId, turns, coming, state);
      if (!(next instanceof Promise)) {
        this.#fallback = next.fallback;
        return next.state;
      }
      next.catch(() => {});
      this.#choice = next;
      return { ...state, status: 'running', phase: 'choosing', agent: null };
    } catch (error) {
      return this.#choiceFailed({ ...state, phase: 'choosing', agent: null }, error);
    }
  }

  /** A stop condition or a turn manager failed: what was said is kept, and it is asked again on `resume`. */
  #choiceFailed(state: RunState, error: unknown): RunState {
    this.#error = error;
    const detail = 'the next speaker could not be chosen';
    return { ...state, status: 'stopped', reason: 'error', detail };
  }

  /** Goes on from a commit that took the lease. */
  async *drive(
    lease: Lease,
    written: { readonly state: RunState; readonly version: number },
    signal: AbortSignal | undefined,
    resumed: boolean,
  ): Events<GroupResult> {
    const { engine } = this.#parts;
    const run = new StoredRun(engine, this.#sessionId, lease, this.#feed, written);
    this.#judgesAgain = resumed;
    const cancel = (): void => this.#calls.interrupt(new Interrupted('cancelled'));
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    lease.beat(() => this.#calls.interrupt(new Interrupted('lost')));
    let left: 'cancelled' | 'error' | null = 'cancelled';
    try {
      while (run.state.status === 'running') yield* this.#safeStep(run);
      left = null;
    } catch (error) {
      left = 'error';
      throw error;
    } finally {
      lease.stop();
      signal?.removeEventListener('abort', cancel);
      // Its stream was left, or it cannot go on here: whoever comes next need not wait for the lease to run out.
      if (left !== null) await run.leave(left);
    }
    return await this.result(run.state);
  }

  async *#safeStep(run: StoredRun): Events {
    try {
      this.#calls.check();
      if (this.#feed.ended !== null) throw new EndOfRun(this.#feed.ended);
      switch (run.state.phase) {
        case 'choosing':
          yield* this.#settle(run);
          break;
        case 'agent':
          yield* this.#speak(run);
          break;
        case 'tools':
          yield* this.#callTools(run);
          break;
      }
    } catch (error) {
      if (error instanceof EndOfRun) await run.halt(error.reason);
      else if (!(error instanceof Interrupted)) throw error;
      else if (error.why === 'lost') throw await run.lost();
      else await run.halt('cancelled');
    }
  }

  /** A choice that takes time: the step before it is stored, and so is who was chosen. */
  async *#settle(run: StoredRun): Events {
    let next = this.#choice === null ? this.choose(run.state, []) : run.state;
    const choice = this.#choice;
    this.#choice = null;
    if (choice !== null) {
      try {
        const { fallback, state } = await this.#calls.asked(() => choice);
        this.#fallback = fallback;
        next = state;
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        next = this.#choiceFailed(run.state, error);
      }
    }
    await run.write(next);
    yield* this.#choiceTold(next);
  }

  *#choiceTold(state: RunState): Generator<GroupEvent> {
    if (state.reason !== 'error') return;
    yield {
      type: 'error',
      agent: null,
      step: state.step,
      attempt: 1,
      error: this.#error,
      action: 'stop',
    };
  }

  async *#speak(run: StoredRun): Events {
    const { state } = run;
    const seat = this.#seat(state.agent);
    const { name } = seat.member;
    if (this.#judgesAgain && (yield* this.#stops(run))) return;
    const decision = state.decisions.find(([about]) => about === '')?.[1];
    if (decision === undefined) {
      const question = await this.#question(seat, null, state);
      if (question !== null) {
        yield* this.#wait(run, question);
        return;
      }
    }
    const { round, step } = state;
    const fallback = this.#fallback;
    yield { type: 'selected', agent: name, step, round, key: keyOf(state), fallback };
    this.#fallback = undefined;
    if (decision !== undefined && 'refuse' in decision) {
      await this.#pass(run, { step, agent: name });
      return;
    }
    for (let attempt = 1; ; attempt++) {
      let fault: unknown;
      try {
        const answer = yield* this.#answer(seat, attempt, state);
        fault = yield* this.#save(run, seat, answer);
        if (fault === null) return;
      } catch (error) {
        if (!(error instanceof AgentFault)) throw error;
        fault = error.cause;
      }
      const failed = { type: 'error', agent: name, step, attempt, error: fault } as const;
      if (attempt > seat.retries) {
        yield { ...failed, action: actionOf(seat) };
        await this.#fail(run, seat, fault);
        return;
      }
      yield { ...failed, action: 'retry' };
      await this.#calls.pause(attempt);
    }
  }

  /** Before an agent is paid for: whether a condition was met while nobody worked. */
  async *#stops(run: StoredRun): Events<boolean> {
    this.#judgesAgain = false;
    const { state } = run;
    let next: RunState | null = null;
    try {
      const verdict = await this.#calls.asked(() =>
        this.#parts.stopWhen.judge(this.#view(run.worked(state))),
      );
      if (verdict !== null) next = over(state, 'stopped', verdict).state;
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      next = this.#choiceFailed(state, error);
    }
    if (next === null) return false;
    await run.write(next);
    yield* this.#choiceTold(next);
    return true;
  }

  async *#answer(seat: Seat, attempt: number, state: RunState): Events<ParsedAnswer> {
    const pieces = this.#calls.speak(seat, attempt, state, this.#feed);
    try {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done === true) return value;
        yield { type: 'delta', agent: seat.member.name, step: state.step, text: value };
      }
    } finally {
      await pieces.return(undefined as never);
    }
  }

  #seat(name: string | null): Seat {
    const seat = this.#parts.seats.get(name ?? '');
    if (seat !== undefined) return seat;
    throw new SessionInputError('agents', `the group has no agent ${kindOf(name)}`);
  }

  #view(state: RunState): GroupView {
    return new GroupView(this.#sessionId, this.#agents, this.#feed.turns, [], state);
  }

  /** Stores what an agent answered, together with who speaks next. Answers what makes it too large to keep, or null. */
  async *#save(run: StoredRun, seat: Seat, answer: ParsedAnswer): Events<unknown> {
    const { ask, handOver, patch, turns } = answer;
    const agent = seat.member.name;
    const { step } = run.state;
    const last = { step, agent, ...(handOver === undefined ? {} : { handOver }) };
    const after = run.worked(done(run.state, last, turns));
    let next: RunState;
    if (ask !== null)
      next = waiting(after, { agent, about: 'question', text: ask, toolCall: null });
    else if (
      seat.agent.callTool !== undefined &&
      openCalls(turns.map(({ fields }) => fields)).length > 0
    )
      next = { ...after, phase: 'tools' };
    else next = this.choose(after, turns);
    let written: readonly SessionTurn[];
    try {
      written = await run.write(next, turns, patch);
    } catch (error) {
      if (error instanceof SessionLimitError) return error;
      throw error;
    }
    yield* told(written, agent, step);
    if (handOver !== undefined) yield { type: 'hand_over', agent, step, to: handOver };
    if (next.question !== null) yield { type: 'waiting', question: next.question };
    yield* this.#choiceTold(next);
    return null;
  }

  /** Lets the next one speak, with nothing said in this step. */
  async #pass(run: StoredRun, last: LastStep): Promise<void> {
    await run.write(this.choose(run.worked(done(run.state, last, [])), []));
  }

  async #fail(run: StoredRun, { member, onError }: Seat, error: unknown): Promise<void> {
    const last = { step: run.state.step, agent: member.name };
    if (onError === 'skip') await this.#pass(run, last);
    else if (onError !== 'stop') await this.#pass(run, { ...last, standIn: onError.fallback });
    else {
      this.#error = error;
      const detail = `the agent '${member.name}' failed`;
      await run.write({ ...run.state, status: 'stopped', reason: 'error', detail });
    }
  }

  /** Runs the calls that the last step left without results; their results are stored together. */
  async *#callTools(run: StoredRun): Events {
    const { state } = run;
    const seat = this.#seat(state.agent);
    const agent = seat.member.name;
    const calls = openCalls(this.#view(state).lastTurns);
    for (const call of calls) {
      if (state.decisions.some(([about]) => about === call.id)) continue;
      const question = await this.#question(seat, call, state);
      if (question === null) continue;
      yield* this.#wait(run, question);
      return;
    }
    const turns = await this.#calls.callTools(seat, calls, state, this.#feed);
    const { step } = state;
    const last = { ...state.last, step, agent, tools: true };
    const next = this.choose(run.worked(done(state, last, turns)), turns);
    yield* told(await run.write(next, turns), agent, step);
    yield* this.#choiceTold(next);
  }

  /** What the rule wants a person to be asked, or null. */
  async #question(
    { member }: Seat,
    toolCall: ToolCall | null,
    state: RunState,
  ): Promise<Question | null> {
    const { askBefore } = this.#parts;
    if (askBefore === null) return null;
    const { name, role } = member;
    const asks = await this.#calls.asked(() =>
      askBefore({ agent: name, role, step: state.step, toolCall, view: this.#view(state) }),
    );
    if (asks === false || asks === '') return null;
    if (asks !== true && typeof asks !== 'string') {
      throw new SessionInputError(
        'askBefore',
        `must answer true, false or a text, got ${kindOf(asks)}`,
      );
    }
    const what = toolCall === null ? 'speak' : `call '${toolCall.name}'`;
    const text = asks === true ? `May '${name}' ${what}?` : asks;
    return { agent: name, about: toolCall === null ? 'turn' : 'tool_call', text, toolCall };
  }

  async *#wait(run: StoredRun, question: Question): Events {
    await run.write(waiting(run.state, question));
    yield { type: 'waiting', question };
  }
}

/** The run after a step, with what it wrote. */
function done(state: RunState, last: LastStep, turns: readonly TurnDraft[]): RunState {
  let { cost, tokens } = state.spent;
  for (const turn of turns) {
    cost += turn.cost;
    tokens += turn.tokens;
  }
  const spent = { turns: state.spent.turns + turns.length, tokens, cost };
  return { ...state, last, step: last.step + 1, spent, recoveries: 0, decisions: [] };
}

function waiting(state: RunState, question: Question): RunState {
  return { ...state, status: 'waiting', reason: 'waiting', question };
}

function* told(turns: readonly SessionTurn[], agent: string, step: number): Generator<GroupEvent> {
  for (const turn of turns) {
    yield { type: 'turn', agent, step, turn };
    for (const call of turn.toolCalls ?? []) yield { type: 'tool_call', agent, step, call };
  }
}

/** Calls of these turns that no result among them answers. */
function openCalls(
  turns: readonly Pick<SessionTurn, 'role' | 'toolCalls' | 'toolCallId'>[],
): readonly ToolCall[] {
  const open = new Map<string, ToolCall>();
  for (const { role, toolCallId, toolCalls } of turns) {
    for (const call of toolCalls ?? []) open.set(call.id, call);
    if (role === 'tool') open.delete(toolCallId ?? '');
  }
  return [...open.values()];
}

function actionOf({ onError }: Seat): 'skip' | 'fallback' | 'stop' {
  return typeof onError === 'string' ? onError : 'fallback';
}
