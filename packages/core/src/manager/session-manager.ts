import { deleteSession } from '../branching/delete.ts';
import { select } from '../branching/select.ts';
import { listSiblings } from '../branching/siblings.ts';
import { transferSession } from '../branching/transfer.ts';
import { whileAllThere } from '../branching/while-all-there.ts';
import type { SessionCheckpoint } from '../checkpointing/checkpoint.ts';
import { CheckpointManager } from '../checkpointing/checkpoint-manager.ts';
import { SessionInputError, SessionUnsupportedError } from '../errors.ts';
import { checkName, checkPrintable, checkSessionId, kindOf } from '../session/ids.ts';
import { checkOptions, parseFlag } from '../session/options.ts';
import type { Page, PageOptions } from '../session/page.ts';
import { parseCount } from '../session/parse-head.ts';
import { parseVariablesPatch } from '../session/parse-patch.ts';
import { parseTurn } from '../session/parse-turn.ts';
import { readTurn } from '../session/read-turn.ts';
import type {
  AnySession,
  SessionState,
  SessionStateWithTurns,
  SessionTypes,
} from '../session/state.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { ContentPart, SessionTurn, TurnInput } from '../session/turn.ts';
import type { Commit, Committed } from '../store/port.ts';
import {
  type AddedTurn,
  type AddedTurns,
  type AddTurnOptions,
  appendAll,
  appendOne,
  variableLimits,
} from './append.ts';
import { type CreateSessionInput, createSession, parseOwner } from './create.ts';
import { type Engine, type OperationOptions, type ServiceOptions, toEngine } from './engine.ts';
import { rememberEngine } from './engine-of.ts';
import { type ListSessionsQuery, listSessions } from './list.ts';
import { setMetadata } from './metadata.ts';
import { findTurn, move, pointAt, redo, undo } from './moves.ts';
import { readTurns } from './read-turns.ts';
import { checkVariables } from './schemas.ts';

/** Options of `setVariables` and `setMetadata`. */
export interface PatchOptions extends OperationOptions {
  readonly unset?: readonly string[] | undefined;
  /** The revision that the caller saw. */
  readonly expectedRevision?: number | undefined;
}

/** Which turns of the history to read: seqs `from` to `to`, both included, at most `limit`. */
export interface TurnsOptions {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
}

/** The last kept turn of a rewind, by id or by seq; seq 0 keeps none. */
export type RewindTarget = { readonly toTurn: string } | { readonly toSeq: number };

/**
 * Sessions and their turns. Every call is atomic; what it answers is an immutable snapshot. Any call may throw
 * SessionInputError and SessionLimitError for its arguments, SessionNotFoundError for a session that is unknown
 * or somebody else's, and SessionStoreUnavailableError; a call that writes also SessionClosedError,
 * SessionExpiredError and SessionTransitionError for a session in which it is not allowed.
 */
export class SessionManager<T extends SessionTypes = AnySession> {
  readonly #engine: Engine;
  readonly #checkpoints: CheckpointManager<T>;

  /** Over a store of your own; `createSessions` makes one over the store that a configuration names. */
  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
    this.#checkpoints = new CheckpointManager<T>(this.#engine);
    rememberEngine(this, this.#engine);
  }

  /**
   * Makes a session. A system prompt, its own or the configuration's, becomes turn 1.
   *
   * @throws SessionCapacityError if the user has as many open sessions as allowed;
   * SessionConflictError if a chosen `sessionId` is taken
   */
  async create(input: CreateSessionInput<T>): Promise<SessionState<T>> {
    return this.#engine.stateAfter<T>(await createSession(this.#engine, input));
  }

  /** The state as it is now, without turns unless `turns` asks for them: all, or the last N. */
  async getState(
    sessionId: string,
    options?: { readonly turns?: 'none' | undefined },
  ): Promise<SessionState<T>>;
  async getState(
    sessionId: string,
    options: { readonly turns: 'all' | number },
  ): Promise<SessionStateWithTurns<T>>;
  async getState(
    sessionId: string,
    options?: { readonly turns?: 'none' | 'all' | number | undefined },
  ): Promise<SessionState<T> | SessionStateWithTurns<T>> {
    const given = checkOptions(options, ['turns']);
    const turns = given.turns === undefined ? 'none' : given.turns;
    if (
      turns !== 'none' &&
      turns !== 'all' &&
      !(Number.isSafeInteger(turns) && (turns as number) >= 0)
    ) {
      throw new SessionInputError(
        'turns',
        `expected 'none', 'all' or a whole number, got ${kindOf(turns)}`,
      );
    }
    const row = await this.#engine.session(sessionId);
    const state = await this.#engine.state<T>(row);
    if (turns === 'none') return state;
    const from = turns === 'all' ? 1 : Math.max(1, row.head.seq - (turns as number) + 1);
    const read: SessionTurn[] = [];
    for await (const turn of readTurns(this.#engine, row, from, row.head.seq, 'asc'))
      read.push(turn);
    return Object.freeze({ ...state, turns: Object.freeze(read) });
  }

  /** The turns of the history as it is when reading starts, page by page as they are asked for. */
  async *turns(
    sessionId: string,
    options?: TurnsOptions,
  ): AsyncGenerator<SessionTurn, void, undefined> {
    const given = checkOptions(options, ['from', 'to', 'limit', 'order']);
    checkSessionId(sessionId);
    const order = given.order === undefined ? 'asc' : given.order;
    if (order !== 'asc' && order !== 'desc') {
      throw new SessionInputError('order', `expected 'asc' or 'desc', got ${kindOf(order)}`);
    }
    const from = Math.max(1, parseCount(given.from, 'from') ?? 1);
    const until = parseCount(given.to, 'to');
    const limit = parseCount(given.limit, 'limit') ?? Number.POSITIVE_INFINITY;
    if (until !== undefined && given.from !== undefined && from > until) {
      throw new SessionInputError('from', `is ${from}, after to, which is ${until}`);
    }
    const row = await this.#engine.session(sessionId);
    const to = Math.min(until ?? row.head.seq, row.head.seq);
    if (order === 'asc')
      yield* readTurns(this.#engine, row, from, Math.min(to, from + limit - 1), order);
    else yield* readTurns(this.#engine, row, Math.max(from, to - limit + 1), to, order);
  }

  /**
   * Adds a turn, with its patch of the variables and its automatic checkpoint in one atomic effect. When it
   * resolves, the turn is as safe as the store makes it. The same `turnId` with the same content again is
   * answered with `duplicate: true`.
   *
   * @throws SessionConflictError with reason `head` if `expectedHead` or `expectedSeq` lost, with reason `turn`
   * if the id is taken by other content; SessionCapacityError past the cap of turns
   */
  addTurn(
    sessionId: string,
    turn: TurnInput,
    options?: AddTurnOptions<T['variables']>,
  ): Promise<AddedTurn> {
    return appendOne(this.#engine, sessionId, turn, options);
  }

  /** Adds up to 100 turns, all or nothing. A repeat only as a whole. Throws as `addTurn` does. */
  addTurns(
    sessionId: string,
    turns: readonly TurnInput[],
    options?: AddTurnOptions<T['variables']>,
  ): Promise<AddedTurns> {
    return appendAll(this.#engine, sessionId, turns, options);
  }

  /**
   * Sets top-level keys of the variables and unsets others, as a new version.
   *
   * @throws SessionConflictError with reason `revision`; SessionLimitError if they grow too large
   */
  async setVariables(
    sessionId: string,
    patch: Partial<T['variables']>,
    options?: PatchOptions,
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['unset', 'expectedRevision', 'operationId']);
    if (patch === undefined || patch === null) {
      throw new SessionInputError('variables', `expected an object, got ${kindOf(patch)}`);
    }
    const parsed = parseVariablesPatch(patch, given.unset);
    const revision = parseCount(given.expectedRevision, 'expectedRevision');
    await checkVariables(this.#engine, parsed);
    return this.#change(
      sessionId,
      {
        guards: { status: SessionStateMachine.allowed.write, revision },
        patch: { ...parsed, ...variableLimits },
        event: { type: 'variables' },
      },
      ['setVariables', [...parsed.set], parsed.unset, revision],
      given,
    );
  }

  /**
   * Sets top-level keys of the metadata and unsets others. Metadata has no versions: a restore leaves it alone.
   *
   * @throws SessionConflictError with reason `revision`; SessionLimitError if it grows too large
   */
  async setMetadata(
    sessionId: string,
    patch: Partial<T['metadata']>,
    options?: PatchOptions,
  ): Promise<SessionState<T>> {
    return this.#engine.state<T>(await setMetadata(this.#engine, sessionId, patch, options));
  }

  /** Active → suspended. */
  async suspend(sessionId: string, options?: OperationOptions): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    const commit: Commit = {
      guards: { status: SessionStateMachine.allowed.suspend },
      status: { to: 'suspended' },
      event: { type: 'suspended' },
    };
    return this.#change(sessionId, commit, ['suspend'], given, 'suspended');
  }

  /** Suspended → active. */
  async resume(sessionId: string, options?: OperationOptions): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    const commit: Commit = {
      guards: { status: SessionStateMachine.allowed.resume },
      status: { to: 'active' },
      event: { type: 'resumed' },
    };
    return this.#change(sessionId, commit, ['resume'], given, 'active');
  }

  /** Ends a session for good; it can still be read and forked. */
  async close(
    sessionId: string,
    options?: OperationOptions & { readonly reason?: string | undefined },
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['reason', 'operationId']);
    const reason =
      given.reason === undefined ? undefined : checkPrintable(given.reason, 'reason', 'reason');
    const commit: Commit = {
      guards: { status: SessionStateMachine.allowed.close },
      status: reason === undefined ? { to: 'closed' } : { to: 'closed', reason },
      event: { type: 'closed', data: JSON.stringify({ reason: reason ?? null }) },
    };
    return this.#change(sessionId, commit, ['close', reason], given, 'closed');
  }

  async #change(
    sessionId: string,
    commit: Commit,
    request: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    wanted?: string,
  ): Promise<SessionState<T>> {
    const operation = this.#engine.operation(options, ...request);
    const made = await this.#engine.commit(
      checkSessionId(sessionId),
      { ...commit, expiry: this.#engine.expiry, ...(operation === undefined ? {} : { operation }) },
      wanted,
    );
    return this.#engine.stateAfter<T>(made);
  }

  /**
   * Removes a session with its checkpoints and every turn that no living branch reads. With `withBranches` its
   * branches go too, and theirs.
   */
  async delete(
    sessionId: string,
    options?: OperationOptions & { readonly withBranches?: boolean | undefined },
  ): Promise<void> {
    const given = checkOptions(options, ['withBranches', 'operationId']);
    const withBranches = parseFlag(given.withBranches, 'withBranches');
    const operation = this.#engine.operation(given, 'delete', withBranches);
    await deleteSession(this.#engine, sessionId, withBranches, operation);
  }

  /**
   * Gives a session to another owner, under a new id, with its history, metadata and variables; the old id is gone.
   * Asked again, it is answered with the same new session. Not within `as(owner)`.
   *
   * @throws SessionCapacityError if the new owner has as many open sessions as allowed
   */
  async transfer(
    sessionId: string,
    owner: { readonly tenantId?: string | null | undefined; readonly userId: string },
  ): Promise<SessionState<T>> {
    if (this.#engine.owner !== undefined) {
      await this.#engine.session(sessionId);
      throw new SessionUnsupportedError('A session is not given away within as(owner)');
    }
    const to = parseOwner(checkOptions(owner, ['tenantId', 'userId'], 'owner'));
    return this.#engine.stateAfter<T>(await transferSession(this.#engine, sessionId, to));
  }

  /** The same as `checkpoints.create`. */
  checkpoint(
    sessionId: string,
    options?: Parameters<CheckpointManager<T>['create']>[1],
  ): Promise<SessionCheckpoint> {
    return this.#checkpoints.create(sessionId, options);
  }

  /** The same as `checkpoints.restore`. */
  restore(checkpointId: string, options?: OperationOptions): Promise<SessionState<T>> {
    return this.#checkpoints.restore(checkpointId, options);
  }

  /** Moves back to a turn, the last one that is kept; the variables are those right after it. */
  async rewind(
    sessionId: string,
    target: RewindTarget,
    options?: OperationOptions,
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    const { toSeq, toTurn } = checkOptions(target, ['toTurn', 'toSeq'], 'target');
    if ((toSeq === undefined) === (toTurn === undefined)) {
      throw new SessionInputError('target', "give either 'toTurn' or 'toSeq'");
    }
    const seq = parseCount(toSeq, 'target.toSeq');
    const turnId = toTurn === undefined ? undefined : checkName(toTurn, 'target.toTurn');
    return this.#move(sessionId, 'rewind', ['rewind', seq, turnId], given, async (history) => {
      if (seq !== undefined) return pointAt(history, seq, 'target.toSeq');
      const named = await findTurn(this.#engine, history, turnId ?? '', 'target.toTurn');
      return pointAt(named.history, named.turn.seq, 'target.toTurn');
    });
  }

  /** Moves to before a turn and writes it anew with other content; the old one stays where it was. */
  async edit(
    sessionId: string,
    turnId: string,
    content: string | readonly ContentPart[],
    options?: OperationOptions,
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    checkName(turnId, 'turnId');
    const written = parseTurn({ role: 'user', content }).fields.content;
    const request = ['edit', turnId, written];
    return this.#move(sessionId, 'edit', request, given, async (history) => {
      const named = await findTurn(this.#engine, history, turnId, 'turnId');
      const before = await pointAt(named.history, named.turn.seq - 1, 'turnId');
      // What the turn cost was paid for the old content; ids, times and sums are the store's.
      const { agent, hiddenFrom, metadata, name, role, toolCallId, toolCalls, visibleTo } =
        readTurn(named.turn);
      const kept = { agent, hiddenFrom, metadata, name, role, toolCallId, toolCalls, visibleTo };
      return { ...before, turns: [parseTurn({ ...kept, content: written })] };
    });
  }

  /**
   * Moves to before an answer, so that another one can be added: the two are then siblings. Given a user's
   * turn, it moves to right after it.
   */
  async regenerate(
    sessionId: string,
    turnId: string,
    options?: OperationOptions,
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    checkName(turnId, 'turnId');
    return this.#move(sessionId, 'regenerate', ['regenerate', turnId], given, async (history) => {
      const named = await findTurn(this.#engine, history, turnId, 'turnId');
      const kept = readTurn(named.turn).role === 'user' ? named.turn.seq : named.turn.seq - 1;
      return pointAt(named.history, kept, 'turnId');
    });
  }

  /**
   * The turns that follow the same point as a turn, itself included, across timelines and branches: the other
   * answers, the other wordings of a question. Of a turn and its merged copies one is there.
   */
  async siblings(
    sessionId: string,
    turnId: string,
    options?: PageOptions,
  ): Promise<Page<SessionTurn>> {
    checkSessionId(sessionId);
    return whileAllThere(this.#engine, [sessionId], true, () =>
      listSiblings(this.#engine, sessionId, turnId, options),
    );
  }

  /**
   * Moves to the newest head of the session that contains a turn; to a turn of a branch on a new timeline that ends
   * there. No move if the session stands there already.
   */
  async select(
    sessionId: string,
    turnId: string,
    options?: OperationOptions,
  ): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    const id = checkName(turnId, 'turnId');
    const operation = this.#engine.operation(given, 'select', id);
    checkSessionId(sessionId);
    return this.#after(
      whileAllThere(this.#engine, [sessionId], true, () =>
        select(this.#engine, sessionId, id, operation),
      ),
    );
  }

  /** Takes back the last move. @throws SessionConflictError with reason `move` if there is none */
  async undo(sessionId: string, options?: OperationOptions): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    return this.#after(
      undo(this.#engine, checkSessionId(sessionId), this.#engine.operation(given, 'undo')),
    );
  }

  /** Takes back the last undo. @throws SessionConflictError with reason `move` if there is none */
  async redo(sessionId: string, options?: OperationOptions): Promise<SessionState<T>> {
    const given = checkOptions(options, ['operationId']);
    return this.#after(
      redo(this.#engine, checkSessionId(sessionId), this.#engine.operation(given, 'redo')),
    );
  }

  #move(
    sessionId: string,
    kind: 'rewind' | 'edit' | 'regenerate',
    request: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    plan: Parameters<typeof move>[4],
  ): Promise<SessionState<T>> {
    const operation = this.#engine.operation(options, ...request);
    return this.#after(move(this.#engine, checkSessionId(sessionId), kind, operation, plan));
  }

  async #after(committed: Promise<Committed>): Promise<SessionState<T>> {
    return this.#engine.stateAfter<T>(await committed);
  }

  /** Sessions, newest created first. */
  async list(query?: ListSessionsQuery & PageOptions): Promise<Page<SessionState<T>>> {
    return listSessions<T>(this.#engine, query);
  }
}

/** A manager in which only what one owner owns exists; the owner is left out of the calls. */
export interface ScopedSessionManager<T extends SessionTypes = AnySession>
  extends Omit<SessionManager<T>, 'create' | 'list' | 'transfer'> {
  create(
    input?: Omit<CreateSessionInput<T>, 'userId' | 'tenantId' | 'sessionId'>,
  ): Promise<SessionState<T>>;
  list(
    query?: Omit<ListSessionsQuery, 'userId' | 'tenantId'> & PageOptions,
  ): Promise<Page<SessionState<T>>>;
}
