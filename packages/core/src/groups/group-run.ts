import { SessionInputError, SessionLimitError } from '../errors.ts';
import { appendOf, variableLimits } from '../manager/append.ts';
import { heldBy, type Lease, readLease } from '../manager/lease.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { checkVariables } from '../manager/schemas.ts';
import { kindOf } from '../session/ids.ts';
import { toUsd } from '../session/money.ts';
import type { ParsedPatch } from '../session/parse-patch.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { writtenTurn } from '../session/read-turn.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn, ToolCall } from '../session/turn.ts';
import type { Commit, Committed, Refusal } from '../store/port.ts';
import type { AgentContext, GroupMember } from './agent.ts';
import { AgentHistory } from './agent-history.ts';
import { chooseNext, type Next, over } from './choose-next.ts';
import type { GroupEvent, GroupResult } from './group-event.ts';
import type { GroupParts } from './group-parts.ts';
import { GroupView, textOf } from './group-view.ts';
import { type ParsedAnswer, parseAnswer } from './parse-answer.ts';
import type { Question } from './question.ts';
import { RunFeed } from './run-feed.ts';
import { type GroupEndReason, type RunState, runRecord, writeRun } from './run-state.ts';
import type { Seat } from './seat.ts';
import { toolTurn } from './tool-turn.ts';
import { Attempt, Interrupted, pauseFor } from './try-agent.ts';

type Events<T = void> = AsyncGenerator<GroupEvent, T, undefined>;

/** The session no longer lets the run go on: it ends, and says why. */
class EndOfRun extends Error {
  readonly reason: GroupEndReason;

  constructor(reason: GroupEndReason) {
    super(reason);
    this.reason = reason;
  }
}

/** An agent failed; `cause` is what it threw, or what is wrong with its answer. */
class AgentFault extends Error {
  constructor(cause: unknown) {
    super('an agent failed', { cause });
  }
}

/** How long a turn manager, a rule or a condition may take to answer. */
const choiceMs = 600_000;
const retryMs = 200;
const maxRetryMs = 5_000;

/** A run that holds its lease: does step after step, each one atomic with where the run then stands. */
export class GroupRun {
  readonly #parts: GroupParts;
  readonly #sessionId: string;
  readonly #agents: readonly GroupMember[];
  readonly #histories = new Map<string, AgentHistory>();
  #feed: RunFeed | undefined;
  #lease: Lease | undefined;
  #state: RunState | undefined;
  /** The version of the run's record after its last write of ours. */
  #version = 0;
  /** A choice that was begun before its step was stored. */
  #choice: Promise<Next> | null = null;
  #fallback: Next['fallback'];
  #attempt: Attempt | null = null;
  #interrupted: Interrupted | null = null;
  #error: unknown;
  readonly #since = performance.now();
  #activeBefore = 0;

  constructor(parts: GroupParts, sessionId: string) {
    this.#parts = parts;
    this.#sessionId = sessionId;
    this.#agents = Object.freeze([...parts.seats.values()].map(({ member }) => member));
    for (const { member } of parts.seats.values()) {
      this.#histories.set(member.name, new AgentHistory(parts.isolation, member, this.#agents));
    }
  }

  /** Reads the history; turns go to each agent's own view of it. */
  async read(row: Parameters<typeof RunFeed.open>[1]): Promise<RunFeed> {
    this.#feed = await RunFeed.open(this.#parts.engine, row, (turn) => {
      for (const history of this.#histories.values()) history.add(turn);
    });
    return this.#feed;
  }

  /** What follows, with turns that are about to be written; a choice that takes time goes on after the commit. */
  choose(state: RunState, drafts: readonly TurnDraft[]): RunState {
    const { turns } = this.#known();
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
      return this.#choiceFailed(state, error);
    }
  }

  /** A stop condition or a turn manager failed: what was said is kept, and the choice is made again on `resume`. */
  #choiceFailed(state: RunState, error: unknown): RunState {
    this.#error = error;
    const detail = 'the next speaker could not be chosen';
    return { ...state, status: 'stopped', phase: 'choosing', agent: null, reason: 'error', detail };
  }

  #known(): RunFeed {
    if (this.#feed === undefined) throw new Error('the history was not read');
    return this.#feed;
  }

  /** Goes on from a commit that took the lease. */
  async *drive(
    lease: Lease,
    { state, version }: { readonly state: RunState; readonly version: number },
    signal: AbortSignal | undefined,
    resumed: boolean,
  ): Events<GroupResult> {
    this.#lease = lease;
    this.#state = state;
    this.#version = version;
    this.#activeBefore = state.activeMs;
    const cancel = (): void => this.#interrupt(new Interrupted('cancelled'));
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    lease.beat(() => this.#interrupt(new Interrupted('lost')));
    let left: GroupEndReason | null = 'cancelled';
    try {
      if (resumed) await this.#judgeAgain();
      while (this.#state.status === 'running') yield* this.#safeStep();
      left = null;
    } catch (error) {
      left = 'error';
      this.#error = error;
      throw error;
    } finally {
      lease.stop();
      signal?.removeEventListener('abort', cancel);
      // Its stream was left, or it cannot go on here: whoever comes next need not wait for the lease to run out.
      if (left !== null) await this.#leave(left);
    }
    return await this.result();
  }

  #interrupt(why: Interrupted): void {
    this.#interrupted ??= why;
    this.#attempt?.abort(why);
  }

  async *#safeStep(): Events {
    try {
      if (this.#interrupted !== null) throw this.#interrupted;
      yield* this.#step();
    } catch (error) {
      if (error instanceof EndOfRun) {
        await this.#halt(error.reason);
      } else if (error instanceof Interrupted && error.why === 'cancelled') {
        await this.#halt('cancelled');
      } else if (error instanceof Interrupted) {
        throw await this.#lost();
      } else {
        throw error;
      }
    }
  }

  #step(): Events {
    switch (this.#now().phase) {
      case 'choosing':
        return this.#settle();
      case 'agent':
        return this.#speak();
      case 'tools':
        return this.#callTools();
    }
  }

  #now(): RunState {
    if (this.#state === undefined) throw new Error('the run has not begun');
    return this.#state;
  }

  /** What may have come true while nobody worked: it is judged before an agent is paid for. */
  async #judgeAgain(): Promise<void> {
    const state = this.#now();
    if (state.status !== 'running' || state.phase !== 'agent') return;
    const verdict = await this.#asked(() => this.#parts.stopWhen.judge(this.#view(state)));
    if (verdict !== null) await this.#write(over(state, 'stopped', verdict).state);
  }

  #view(state: RunState): GroupView {
    return new GroupView(this.#sessionId, this.#agents, this.#known().turns, [], state);
  }

  /** Asks the developer's own code; a cancelled run does not wait for it. */
  async #asked<T>(ask: () => T | Promise<T>): Promise<T> {
    this.#attempt = new Attempt(choiceMs, 'the choice of what comes next');
    try {
      return await this.#attempt.wait(ask());
    } finally {
      this.#attempt.end();
      this.#attempt = null;
    }
  }

  /** A choice that takes time: the step before it is stored, and so is who was chosen. */
  async *#settle(): Events {
    let state = this.#now();
    try {
      if (this.#choice === null) {
        state = this.choose(state, []);
      }
      const choice: Promise<Next> | null = this.#choice;
      this.#choice = null;
      if (choice !== null) {
        const next = await this.#asked(() => choice);
        this.#fallback = next.fallback;
        state = next.state;
      }
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      state = this.#choiceFailed(this.#now(), error);
    }
    await this.#write(state);
    if (state.reason === 'error') yield this.#failed(null, 1, this.#error, 'stop');
  }

  async *#speak(): Events {
    const state = this.#now();
    const seat = this.#seat(state.agent);
    const { name } = seat.member;
    const decision = state.decisions.find(([about]) => about === '')?.[1];
    if (decision === undefined) {
      const question = await this.#question(seat, null);
      if (question !== null) {
        yield* this.#wait(state, question);
        return;
      }
    }
    yield {
      type: 'selected',
      agent: name,
      step: state.step,
      round: state.round,
      key: this.#key(),
      fallback: this.#fallback,
    };
    this.#fallback = undefined;
    if (decision !== undefined && 'refuse' in decision) {
      await this.#pass(seat);
      return;
    }
    for (let attempt = 1; ; attempt++) {
      let fault: unknown;
      try {
        const answer = yield* this.#ask(seat, attempt);
        fault = yield* this.#save(seat, answer);
        if (fault === null) return;
      } catch (error) {
        if (!(error instanceof AgentFault)) throw error;
        fault = error.cause;
      }
      if (attempt > seat.retries) {
        yield* this.#fail(seat, attempt, fault);
        return;
      }
      yield this.#failed(name, attempt, fault, 'retry');
      await this.#pause(Math.min(maxRetryMs, retryMs * 2 ** (attempt - 1)));
    }
  }

  #key(): string {
    const { runId, step } = this.#now();
    return `${runId}.${step}`;
  }

  #seat(name: string | null): Seat {
    const seat = this.#parts.seats.get(name ?? '');
    if (seat !== undefined) return seat;
    throw new SessionInputError('agents', `it is the turn of ${kindOf(name)}; add this agent`);
  }

  async #pause(ms: number): Promise<void> {
    this.#attempt = new Attempt(choiceMs, 'a pause');
    await pauseFor(ms, this.#attempt.signal);
    this.#attempt.end();
    this.#attempt = null;
    if (this.#interrupted !== null) throw this.#interrupted;
  }

  /** @throws AgentFault for whatever goes wrong in there */
  async *#ask(seat: Seat, attempt: number): Events<ParsedAnswer> {
    const { agent, member, timeoutMs } = seat;
    const history = (this.#histories.get(member.name) as AgentHistory).shown();
    const latest = history.at(-1);
    const message = latest === undefined ? '' : textOf(latest);
    const trial = new Attempt(timeoutMs, `the agent '${member.name}'`);
    this.#attempt = trial;
    const { step } = this.#now();
    let settled = false;
    try {
      const context = this.#context(seat, attempt, this.#key(), trial.signal);
      const deltas = trial.answer(() => agent.execute(message, history, context));
      for (;;) {
        const { done, value } = await deltas.next();
        if (done !== true) {
          yield { type: 'delta', agent: member.name, step, text: value };
          continue;
        }
        settled = true;
        return await this.#checked(value, seat);
      }
    } catch (error) {
      settled = true;
      throw error instanceof Interrupted ? error : new AgentFault(error);
    } finally {
      trial.end();
      if (this.#attempt === trial) this.#attempt = null;
      // The stream was left in the middle: the agent is told.
      if (!settled) trial.abort(new Interrupted('cancelled'));
    }
  }

  async #checked(value: unknown, { member }: Seat): Promise<ParsedAnswer> {
    const { isolation, engine } = this.#parts;
    const key = this.#key();
    const answer = parseAnswer(value, { member, agents: this.#agents, isolation, key });
    if (answer.patch !== null) await checkVariables(engine, answer.patch);
    return answer;
  }

  #context(seat: Seat, attempt: number, key: string, signal: AbortSignal): AgentContext {
    const { runId, spent, step } = this.#now();
    const { name, role } = seat.member;
    return Object.freeze({
      sessionId: this.#sessionId,
      runId,
      agent: name,
      role,
      step,
      key,
      attempt,
      signal,
      variables: this.#parts.isolation.filterVariables(this.#known().variables, seat.member),
      spent: Object.freeze({ turns: spent.turns, tokens: spent.tokens, cost: toUsd(spent.cost) }),
    });
  }

  /** Stores what an agent answered, together with who speaks next. Answers what makes it too large to keep, or null. */
  async *#save(seat: Seat, { ask, handOver, patch, turns }: ParsedAnswer): Events<unknown> {
    const { name } = seat.member;
    const step = this.#now().step;
    const last = { step, agent: name, ...(handOver === undefined ? {} : { handOver }) };
    const after = { ...spentOn(this.#now(), turns), last, step: step + 1, decisions: [] };
    let next: RunState;
    if (ask !== null) {
      const question = { agent: name, about: 'question', text: ask, toolCall: null } as const;
      next = waiting(after, question);
    } else if (seat.agent.callTool !== undefined && openCalls(turns.map(toTurn)).length > 0) {
      next = { ...after, phase: 'tools' };
    } else {
      next = this.choose(after, turns);
    }
    let written: readonly SessionTurn[];
    try {
      written = await this.#write(next, turns, patch);
    } catch (error) {
      if (error instanceof SessionLimitError) return error;
      throw error;
    }
    yield* this.#told(written, name, step);
    if (handOver !== undefined) yield { type: 'hand_over', agent: name, step, to: handOver };
    if (next.question !== null) yield { type: 'waiting', question: next.question };
    if (next.reason === 'error') yield this.#failed(null, 1, this.#error, 'stop');
    return null;
  }

  *#told(turns: readonly SessionTurn[], agent: string, step: number): Generator<GroupEvent> {
    for (const turn of turns) {
      yield { type: 'turn', agent, step, turn };
      for (const call of turn.toolCalls ?? []) yield { type: 'tool_call', agent, step, call };
    }
  }

  /** Lets the next one speak, with nothing said in this step. */
  async #pass(seat: Seat): Promise<void> {
    const state = this.#now();
    const last = { step: state.step, agent: seat.member.name };
    await this.#write(this.choose({ ...state, last, step: state.step + 1, decisions: [] }, []));
  }

  async *#fail(seat: Seat, attempt: number, error: unknown): Events {
    const { onError } = seat;
    const { name } = seat.member;
    const state = this.#now();
    if (onError === 'skip') {
      yield this.#failed(name, attempt, error, 'skip');
      await this.#pass(seat);
    } else if (onError === 'stop') {
      this.#error = error;
      const detail = `the agent '${name}' failed`;
      await this.#write({ ...state, status: 'stopped', reason: 'error', detail });
      yield this.#failed(name, attempt, error, 'stop');
    } else {
      yield this.#failed(name, attempt, error, 'fallback');
      const last = { step: state.step, agent: name, standIn: onError.fallback };
      await this.#write(this.choose({ ...state, last, step: state.step + 1, decisions: [] }, []));
    }
  }

  #failed(
    agent: string | null,
    attempt: number,
    error: unknown,
    action: 'retry' | 'skip' | 'fallback' | 'stop',
  ): GroupEvent {
    return { type: 'error', agent, step: this.#now().step, attempt, error, action };
  }

  /** Runs the calls that the last step left without results; their results are stored together. */
  async *#callTools(): Events {
    const state = this.#now();
    const seat = this.#seat(state.agent);
    const calls = openCalls(this.#view(state).lastTurns);
    for (const call of calls) {
      if (state.decisions.some(([about]) => about === call.id)) continue;
      const question = await this.#question(seat, call);
      if (question === null) continue;
      yield* this.#wait(state, question);
      return;
    }
    const trial = new Attempt(seat.timeoutMs, `a tool of '${seat.member.name}'`);
    this.#attempt = trial;
    let turns: readonly TurnDraft[];
    try {
      turns = await trial.wait(
        Promise.all(calls.map((call, i) => this.#callTool(seat, call, i, trial))),
      );
    } finally {
      trial.end();
      this.#attempt = null;
    }
    const { step } = state;
    const last = { ...state.last, step, agent: seat.member.name, tools: true };
    const after = { ...spentOn(state, turns), last, step: step + 1, decisions: [] };
    const next = this.choose(after, turns);
    yield* this.#told(await this.#write(next, turns), seat.member.name, step);
  }

  async #callTool(seat: Seat, call: ToolCall, i: number, trial: Attempt): Promise<TurnDraft> {
    const decision = this.#now().decisions.find(([about]) => about === call.id)?.[1];
    const turnId = `${this.#key()}.${i}`;
    const given = { call, turnId, agent: seat.member.name, decision };
    return toolTurn(given, (decided) =>
      seat.agent.callTool?.(decided, this.#context(seat, 1, turnId, trial.signal)),
    );
  }

  /** What the rule wants a person to be asked, or null. */
  async #question({ member }: Seat, toolCall: ToolCall | null): Promise<Question | null> {
    const { askBefore } = this.#parts;
    if (askBefore === null) return null;
    const state = this.#now();
    const { name, role } = member;
    const asks = await this.#asked(() =>
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
    return {
      agent: name,
      about: toolCall === null ? 'turn' : 'tool_call',
      text: asks === true ? `May '${name}' ${what}?` : asks,
      toolCall,
    };
  }

  async *#wait(state: RunState, question: Question): Events {
    await this.#write(waiting(state, question));
    yield { type: 'waiting', question };
  }

  /** One atomic effect: turns, variables, and where the run then stands. */
  async #write(
    state: RunState,
    turns: readonly TurnDraft[] = [],
    patch: ParsedPatch | null = null,
  ): Promise<readonly SessionTurn[]> {
    const { engine } = this.#parts;
    const lease = this.#held();
    const next = { ...state, activeMs: this.#activeMs() };
    const seen = turns.length > 0 || patch !== null;
    const commit: Commit = {
      guards: {
        status: SessionStateMachine.allowed.write,
        moves: state.moves,
        records: [lease.guard],
      },
      ...(turns.length === 0 ? {} : { append: appendOf(engine, turns) }),
      ...(patch === null ? {} : { patch: { ...patch, ...variableLimits } }),
      ...(turns.length === 0 && patch !== null ? { event: { type: 'variables' } } : {}),
      records: [writeRun(next), ...(next.status === 'running' ? [] : [lease.release])],
      // While a person is waited for the time to live stands still.
      ...(next.status === 'waiting'
        ? { expiry: { ...engine.expiry, ttlMs: null } }
        : seen
          ? { expiry: engine.expiry }
          : {}),
    };
    const result = await engine.try(this.#sessionId, commit);
    if (result.refused !== undefined) throw await this.#refused(result);
    this.#state = next;
    this.#version += 1;
    const written = await this.#known().absorb(result, turns);
    if (result.session.status !== 'active' && next.status === 'running') {
      throw new EndOfRun(endedBy(result));
    }
    return written;
  }

  #held(): Lease {
    if (this.#lease === undefined) throw new Error('the lease was not taken');
    return this.#lease;
  }

  #activeMs(): number {
    return Math.round(this.#activeBefore + performance.now() - this.#since);
  }

  async #refused(refusal: Refusal): Promise<unknown> {
    switch (refusal.refused) {
      case 'status':
        return new EndOfRun(endedBy(refusal));
      case 'expected':
        return refusal.what === 'moves' ? new EndOfRun('superseded') : this.#lost();
      case 'cap':
        if (refusal.cap === 'turns' || refusal.cap === 'written') return new EndOfRun('turn_limit');
        break;
      case 'repeat':
        // Somebody else did this step.
        return this.#lost();
      default:
        break;
    }
    return refusalError(this.#sessionId, refusal, 'active');
  }

  async #lost(): Promise<unknown> {
    return heldBy(this.#sessionId, await readLease(this.#parts.engine, this.#sessionId));
  }

  /** Writes why the run does not go on, whatever the session's status, and gives the lease back. */
  async #halt(reason: GroupEndReason): Promise<void> {
    const state = this.#now();
    const resumable = reason === 'cancelled' || reason === 'error' || reason === 'suspended';
    const next: RunState = {
      ...state,
      status: resumable ? 'stopped' : 'ended',
      reason,
      detail: null,
      activeMs: this.#activeMs(),
    };
    const lease = this.#held();
    // A step whose write was not answered may be stored: where it left the run is then right, and this is not.
    const asWritten = { ...runRecord, version: this.#version };
    const result = await this.#parts.engine.try(this.#sessionId, {
      guards: { records: [lease.guard, asWritten] },
      records: [writeRun(next), lease.release],
    });
    if (result.refused === 'expected') throw await this.#lost();
    if (result.refused !== undefined) throw refusalError(this.#sessionId, result, 'active');
    this.#state = next;
  }

  async #leave(reason: GroupEndReason): Promise<void> {
    const lease = this.#held();
    try {
      await this.#halt(reason);
    } catch {
      const guards = { records: [lease.guard] };
      await this.#parts.engine
        .try(this.#sessionId, { guards, records: [lease.release] })
        .catch(() => {});
    }
  }

  /** What the run came to, for a run that is not running. */
  async result(state: RunState = this.#now()): Promise<GroupResult> {
    const { engine } = this.#parts;
    return Object.freeze({
      runId: state.runId,
      reason: state.reason ?? 'complete',
      detail: state.detail,
      state: await engine.state(await engine.session(this.#sessionId)),
      steps: state.last?.step ?? 0,
      rounds: state.last === null ? 0 : state.round,
      question: state.question,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    });
  }
}

function toTurn(draft: TurnDraft): Pick<SessionTurn, 'role' | 'toolCalls' | 'toolCallId'> {
  return draft.fields;
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

function spentOn(state: RunState, turns: readonly TurnDraft[]): RunState {
  let { cost, tokens } = state.spent;
  for (const turn of turns) {
    cost += turn.cost;
    tokens += turn.tokens;
  }
  return {
    ...state,
    recoveries: 0,
    spent: { turns: state.spent.turns + turns.length, tokens, cost },
  };
}

function waiting(state: RunState, question: Question): RunState {
  return { ...state, status: 'waiting', reason: 'waiting', question };
}

function endedBy({ session }: Committed | Extract<Refusal, { refused: 'status' }>): GroupEndReason {
  const { closedReason, status } = session;
  if (closedReason === 'turn_limit') return 'turn_limit';
  return status === 'active' ? 'error' : status;
}
