import { fillCost } from '../analytics/fill-cost.ts';
import { checkVariables } from '../manager/schemas.ts';
import { toUsd } from '../session/money.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import type { SessionTurn, ToolCall } from '../session/turn.ts';
import type { AgentContext, GroupMember } from './agent.ts';
import { AgentHistory } from './agent-history.ts';
import type { GroupParts } from './group-parts.ts';
import { textOf } from './group-view.ts';
import { type ParsedAnswer, parseAnswer } from './parse-answer.ts';
import type { RunFeed } from './run-feed.ts';
import type { RunState } from './run-state.ts';
import type { Seat } from './seat.ts';
import { toolTurn } from './tool-turn.ts';
import { Attempt, Interrupted, pauseFor } from './try-agent.ts';

/** An agent failed; `cause` is what it threw, or what is wrong with its answer. */
export class AgentFault extends Error {
  constructor(cause: unknown) {
    super('an agent failed', { cause });
  }
}

/** How long a turn manager, a rule or a condition may take to answer. */
const choiceMs = 600_000;
const retryMs = 200;
const maxRetryMs = 5_000;

/** All that waits for code of others, agents, tools, rules: a run that is interrupted waits for none of it. */
export class AgentCalls {
  readonly #parts: GroupParts;
  readonly #agents: readonly GroupMember[];
  readonly #histories = new Map<string, AgentHistory>();
  #attempt: Attempt | null = null;
  #interrupted: Interrupted | null = null;

  constructor(parts: GroupParts, agents: readonly GroupMember[]) {
    this.#parts = parts;
    this.#agents = agents;
    for (const member of agents) {
      this.#histories.set(member.name, new AgentHistory(parts.isolation, member, agents));
    }
  }

  /** A turn of the history, for those who may see it. */
  hear(turn: SessionTurn): void {
    for (const history of this.#histories.values()) history.add(turn);
  }

  interrupt(why: Interrupted): void {
    this.#interrupted ??= why;
    this.#attempt?.abort(why);
  }

  /** @throws Interrupted */
  check(): void {
    if (this.#interrupted !== null) throw this.#interrupted;
  }

  /** Waits for a choice, a rule or a condition. */
  async asked<T>(ask: () => T | Promise<T>): Promise<T> {
    const attempt = this.#begin(choiceMs, 'the choice of what comes next');
    try {
      return await attempt.wait(ask());
    } finally {
      this.#end(attempt);
    }
  }

  #begin(timeoutMs: number, what: string): Attempt {
    const attempt = new Attempt(timeoutMs, what);
    this.#attempt = attempt;
    return attempt;
  }

  #end(attempt: Attempt): void {
    attempt.end();
    if (this.#attempt === attempt) this.#attempt = null;
  }

  /** A pause before the next try, longer each time. */
  async pause(tries: number): Promise<void> {
    const attempt = this.#begin(choiceMs, 'a pause');
    await pauseFor(Math.min(maxRetryMs, retryMs * 2 ** (tries - 1)), attempt.signal);
    this.#end(attempt);
    this.check();
  }

  /**
   * Lets an agent answer; pieces of text are told as they come.
   *
   * @throws AgentFault for whatever goes wrong in there; Interrupted
   */
  async *speak(
    seat: Seat,
    tries: number,
    state: RunState,
    feed: RunFeed,
  ): AsyncGenerator<string, ParsedAnswer, undefined> {
    const { agent, member, timeoutMs } = seat;
    const history = (this.#histories.get(member.name) as AgentHistory).shown();
    const latest = history.at(-1);
    const message = latest === undefined ? '' : textOf(latest);
    const key = keyOf(state);
    const attempt = this.#begin(timeoutMs, `the agent '${member.name}'`);
    let settled = false;
    try {
      const context = this.#context(member, tries, key, attempt.signal, state, feed);
      const deltas = attempt.answer(() => agent.execute(message, history, context));
      const answer = yield* deltas;
      settled = true;
      return await this.#checked(answer, member, key);
    } catch (error) {
      settled = true;
      throw error instanceof Interrupted ? error : new AgentFault(error);
    } finally {
      this.#end(attempt);
      // The stream was left in the middle: the agent is told.
      if (!settled) attempt.abort(new Interrupted('cancelled'));
    }
  }

  async #checked(answer: unknown, member: GroupMember, key: string): Promise<ParsedAnswer> {
    const { engine, isolation } = this.#parts;
    const parsed = parseAnswer(answer, { member, agents: this.#agents, isolation, key });
    if (parsed.patch !== null) await checkVariables(engine, parsed.patch);
    return { ...parsed, turns: parsed.turns.map((turn) => fillCost(engine.prices, turn)) };
  }

  #context(
    { name, role }: GroupMember,
    attempt: number,
    key: string,
    signal: AbortSignal,
    { runId, spent, step }: RunState,
    { session, variables }: RunFeed,
  ): AgentContext {
    return Object.freeze({
      sessionId: session.sessionId,
      session,
      runId,
      agent: name,
      role,
      step,
      key,
      attempt,
      signal,
      variables: this.#parts.isolation.filterVariables(variables, { name, role }),
      spent: Object.freeze({ turns: spent.turns, tokens: spent.tokens, cost: toUsd(spent.cost) }),
    });
  }

  /** Runs the calls of an agent's tools at once; each has a result, be it that it failed. @throws Interrupted */
  async callTools(
    { agent, member, timeoutMs }: Seat,
    calls: readonly ToolCall[],
    state: RunState,
    feed: RunFeed,
  ): Promise<readonly TurnDraft[]> {
    const attempt = this.#begin(timeoutMs, `a tool of '${member.name}'`);
    try {
      return await Promise.all(
        calls.map((call, i) => {
          const turnId = `${keyOf(state)}.${i}`;
          const decision = state.decisions.find(([about]) => about === call.id)?.[1];
          const context = this.#context(member, 1, turnId, attempt.signal, state, feed);
          return toolTurn({ call, turnId, agent: member.name, decision }, (decided) =>
            attempt.wait(Promise.resolve(agent.callTool?.(decided, context))),
          );
        }),
      );
    } finally {
      this.#end(attempt);
    }
  }
}

/** The same each time that the step is tried. */
export function keyOf({ runId, step }: RunState): string {
  return `${runId}.${step}`;
}
