import { hostname } from 'node:os';
import { SessionInputError, SessionUnsupportedError } from '../errors.ts';
import type { Engine, OperationOptions } from '../manager/engine.ts';
import { engineOf } from '../manager/engine-of.ts';
import { checkName, checkSessionId, kindOf, newTurnId } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import type { ContentPart, SessionTurn, TurnInput } from '../session/turn.ts';
import type { Agent, AgentOptions, GroupMember } from './agent.ts';
import { beginRun, type RunLimits, resumeRun } from './begin-run.ts';
import { viewOfEvent } from './event-view.ts';
import type { GroupEvent, GroupResult } from './group-event.ts';
import type { AskRule, GroupParts } from './group-parts.ts';
import type { GroupView } from './group-view.ts';
import { parseMessage, type ResumeInput } from './question.ts';
import {
  type RoleIsolation,
  type RoleIsolationOptions,
  toRoleIsolation,
} from './role-isolation.ts';
import { RunFeed } from './run-feed.ts';
import { type Seat, toSeat } from './seat.ts';
import { type StopCondition, toStopCondition } from './stop-condition.ts';
import { checkMember, type TurnManager } from './turn-manager.ts';
import { toTurnManager } from './turn-managers/by-name.ts';

/** What a group is made of. */
export interface GroupOptions {
  /** A turn manager, or a strategy by name; the configuration's `defaultTurnStrategy` if left out. */
  readonly turnManager?: TurnManager | 'round_robin' | 'priority' | undefined;
  readonly roleIsolation?: RoleIsolation | RoleIsolationOptions | undefined;
  /** When a run stops; if left out, once an agent hands over to nobody. */
  readonly stopWhen?:
    | StopCondition
    | ((view: GroupView) => boolean | string | Promise<boolean | string>)
    | undefined;
  /** Whether a person is asked before an agent speaks or one of its tools is called. */
  readonly askBefore?: AskRule | undefined;
  /** How long a process that has gone away keeps the run; 5,000 ms. It is extended while the process lives. */
  readonly leaseMs?: number | undefined;
}

/** The same, with the manager over whose sessions the group runs. */
export interface GroupSessionOptions extends GroupOptions {
  /** A SessionManager, or a scoped one. */
  readonly manager: object;
}

/** How far a run may go. */
export interface RunOptions extends OperationOptions {
  /** Rounds of this run, beside the turn manager's own. */
  readonly maxRounds?: number | undefined;
  /** Steps of this run; 200. */
  readonly maxSteps?: number | undefined;
  /** Milliseconds that this run may work, in all processes; an hour. */
  readonly maxMs?: number | undefined;
  /** Breaks the run off; it can be resumed. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `resume`. */
export interface ResumeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Of whom a stream tells only what this agent may see. */
export interface ViewerOptions {
  readonly viewer?: string | undefined;
}

/** Events in order, as they are asked for; leaving it breaks the run off. */
export type GroupStream = AsyncGenerator<GroupEvent, void, undefined>;

const defaultLeaseMs = 5_000;
const maxLeaseMs = 3_600_000;
const defaultSteps = 200;
const defaultMs = 3_600_000;

/**
 * Agents that share a session and take turns. Each step is one atomic effect, at most two: what the agent said,
 * and who speaks next. Whichever process comes after a crash goes on with the right agent; a process that was
 * overtaken cannot write any more. A group keeps nothing of a run itself: it may be used for many sessions.
 */
export class GroupSession {
  readonly #engine: Engine;
  readonly #seats = new Map<string, Seat>();
  readonly #turnManager: TurnManager;
  readonly #isolation: RoleIsolation;
  readonly #stopWhen: StopCondition;
  readonly #askBefore: AskRule | null;
  readonly #leaseMs: number;
  readonly #holder: string;

  /** @throws SessionInputError; SessionUnsupportedError over a manager that stands over no store */
  constructor(options: GroupSessionOptions) {
    const known = ['manager', 'turnManager', 'roleIsolation', 'stopWhen', 'askBefore', 'leaseMs'];
    const given = checkOptions(options, known);
    const { askBefore, manager, roleIsolation, stopWhen, turnManager } = given;
    const engine = engineOf(manager);
    if (engine === undefined) {
      if (typeof manager !== 'object' || manager === null) {
        throw new SessionInputError(
          'options.manager',
          `expected a SessionManager, got ${kindOf(manager)}`,
        );
      }
      throw new SessionUnsupportedError(
        'A group needs a SessionManager over a store of this process; over HTTP let the server run it',
      );
    }
    if (askBefore !== undefined && typeof askBefore !== 'function') {
      throw new SessionInputError(
        'options.askBefore',
        `expected a function, got ${kindOf(askBefore)}`,
      );
    }
    const leaseMs = parseCount(given['leaseMs'], 'options.leaseMs', maxLeaseMs) ?? defaultLeaseMs;
    if (leaseMs < 10) throw new SessionInputError('options.leaseMs', 'must be 10 at least');
    this.#engine = engine;
    this.#turnManager = toTurnManager(turnManager, engine.config.defaultTurnStrategy);
    this.#isolation = toRoleIsolation(roleIsolation);
    this.#stopWhen = toStopCondition(stopWhen);
    this.#askBefore = (askBefore as AskRule | undefined) ?? null;
    this.#leaseMs = leaseMs;
    this.#holder = `${hostname()}:${process.pid}:${newTurnId()}`;
  }

  /** The agents' names, in the order in which they were added. */
  get agentNames(): readonly string[] {
    return Object.freeze([...this.#seats.keys()]);
  }

  /**
   * Adds an agent; runs under way do not see it.
   *
   * @throws SessionInputError for a name that is taken, reserved or none; SessionCapacityError past
   * `maxAgentsPerGroup`
   */
  addAgent(agent: Agent, options?: AgentOptions): this {
    const { maxAgentsPerGroup } = this.#engine.config;
    const seat = toSeat(agent, options, this.#seats, maxAgentsPerGroup);
    this.#seats.set(seat.member.name, seat);
    return this;
  }

  /**
   * Adds a message of the user and lets the agents speak until somebody or something ends it: the answer says why.
   * What an agent throws is answered with reason `error`, not thrown.
   *
   * @throws SessionLeaseError if another process runs this session's group, or has taken it over; what `addTurn`
   * throws for the message; SessionStoreUnavailableError, after which `resume` goes on
   */
  async run(
    sessionId: string,
    message: string | readonly ContentPart[] | TurnInput,
    options?: RunOptions,
  ): Promise<GroupResult> {
    return drain(this.#begin(sessionId, message, options));
  }

  /**
   * The same as events, as they are asked for; a turn is told once it is stored. Leaving the loop breaks the run off.
   * With `viewer`, only what this agent may see.
   */
  stream(
    sessionId: string,
    message: string | readonly ContentPart[] | TurnInput,
    options?: RunOptions & ViewerOptions,
  ): GroupStream {
    const { viewer, ...rest } = { ...options };
    return this.#told(this.#begin(sessionId, message, rest), viewer);
  }

  /**
   * Goes on with the session's run, in any process: after a crash, once its lease has run out; after a stop; or
   * with the answer to what a person was asked. A run that has ended, or that waits and gets no input, is answered
   * as it is.
   *
   * @throws SessionConflictError with reason `run` if there is none, or if nothing was asked; SessionInputError if
   * the input does not fit the question; and as `run` does
   */
  async resume(
    sessionId: string,
    input?: ResumeInput,
    options?: ResumeOptions,
  ): Promise<GroupResult> {
    return drain(this.#resume(sessionId, input, options));
  }

  /** `resume` as events. */
  resumeStream(
    sessionId: string,
    input?: ResumeInput,
    options?: ResumeOptions & ViewerOptions,
  ): GroupStream {
    const { viewer, ...rest } = { ...options };
    return this.#told(this.#resume(sessionId, input, rest), viewer);
  }

  /** The history as an agent of this group may see it: for exports made for it. */
  async historyFor(sessionId: string, agent: string): Promise<readonly SessionTurn[]> {
    const viewer = this.#viewer(agent);
    const row = await this.#engine.session(checkSessionId(sessionId));
    const { turns } = await RunFeed.open(this.#engine, row, () => {});
    return this.#isolation.filterVisible(turns, viewer, this.#members());
  }

  #members(): readonly GroupMember[] {
    return [...this.#seats.values()].map(({ member }) => member);
  }

  #viewer(agent: unknown): GroupMember {
    const name = checkName(agent, 'viewer');
    checkMember(this.#members(), name, 'viewer');
    return (this.#seats.get(name) as Seat).member;
  }

  #parts(): GroupParts {
    const members = this.#members();
    if (members.length === 0) {
      throw new SessionInputError('agents', 'the group has no agents; add one with addAgent');
    }
    for (const { member, onError } of this.#seats.values()) {
      if (typeof onError === 'string') continue;
      checkMember(members, onError.fallback, `the fallback of '${member.name}'`);
    }
    this.#turnManager.check?.(members);
    return {
      engine: this.#engine,
      seats: new Map(this.#seats),
      turnManager: this.#turnManager,
      isolation: this.#isolation,
      stopWhen: this.#stopWhen,
      askBefore: this.#askBefore,
      leaseMs: this.#leaseMs,
      holder: this.#holder,
    };
  }

  async *#begin(
    sessionId: string,
    message: unknown,
    options: RunOptions | undefined,
  ): AsyncGenerator<GroupEvent, GroupResult, undefined> {
    const known = ['maxRounds', 'maxSteps', 'maxMs', 'signal', 'operationId'];
    const given = checkOptions(options, known);
    const limits: RunLimits = {
      maxRounds: parseCount(given['maxRounds'], 'options.maxRounds') ?? null,
      maxSteps: parseCount(given['maxSteps'], 'options.maxSteps') ?? defaultSteps,
      maxMs: parseCount(given['maxMs'], 'options.maxMs') ?? defaultMs,
    };
    const signal = checkSignal(given['signal']);
    const parts = this.#parts();
    const read = (turnId: string): TurnDraft => {
      const draft = parseMessage(message, turnId, 'message');
      for (const name of [...(draft.fields.visibleTo ?? []), ...(draft.fields.hiddenFrom ?? [])]) {
        checkMember(this.#members(), name, 'message');
      }
      return draft;
    };
    checkSessionId(sessionId);
    return yield* beginRun(parts, sessionId, read, limits, signal, ({ body }) =>
      this.#engine.operation(given, 'group.run', body, limits),
    );
  }

  async *#resume(
    sessionId: string,
    input: unknown,
    options: ResumeOptions | undefined,
  ): AsyncGenerator<GroupEvent, GroupResult, undefined> {
    const given = checkOptions(options, ['signal']);
    const signal = checkSignal(given['signal']);
    return yield* resumeRun(this.#parts(), checkSessionId(sessionId), input, signal);
  }

  async *#told(
    events: AsyncGenerator<GroupEvent, GroupResult, undefined>,
    viewer: string | undefined,
  ): GroupStream {
    const sees = viewer === undefined ? null : this.#viewer(viewer);
    const members = this.#members();
    const shown = (event: GroupEvent): GroupEvent | null => {
      const seen = sees === null ? event : viewOfEvent(event, this.#isolation, sees, members);
      return seen === null ? null : Object.freeze(seen);
    };
    try {
      for (;;) {
        const { done, value } = await events.next();
        const event = shown(done === true ? { type: 'ended', result: value } : value);
        if (event !== null) yield event;
        if (done === true) return;
      }
    } finally {
      await events.return(undefined as never);
    }
  }
}

async function drain(
  events: AsyncGenerator<GroupEvent, GroupResult, undefined>,
): Promise<GroupResult> {
  for (;;) {
    const { done, value } = await events.next();
    if (done === true) return value;
  }
}

/** @throws SessionInputError; the signal's reason if it is aborted already */
function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (!(signal instanceof AbortSignal)) {
    throw new SessionInputError('options.signal', `expected an AbortSignal, got ${kindOf(signal)}`);
  }
  signal.throwIfAborted();
  return signal;
}
