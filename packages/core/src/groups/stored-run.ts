import { appendOf, variableLimits } from '../manager/append.ts';
import type { Engine } from '../manager/engine.ts';
import { heldBy, type Lease, readLease } from '../manager/lease.ts';
import { refusalError } from '../manager/refusal-error.ts';
import type { ParsedPatch } from '../session/parse-patch.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Refusal } from '../store/port.ts';
import { endedBy, type RunFeed } from './run-feed.ts';
import { type GroupEndReason, type RunState, runRecord, writeRun } from './run-state.ts';

/** The session no longer lets the run go on: it ends, and says why. */
export class EndOfRun extends Error {
  readonly reason: GroupEndReason;

  constructor(reason: GroupEndReason) {
    super(reason);
    this.reason = reason;
  }
}

/** A run as the store has it: where it stands, and the only way to write it, under its lease. */
export class StoredRun {
  readonly #engine: Engine;
  readonly #sessionId: string;
  readonly #lease: Lease;
  readonly #feed: RunFeed;
  #state: RunState;
  /** The version of the run's record after its last write of ours. */
  #version: number;
  readonly #workedBefore: number;
  readonly #since = performance.now();

  constructor(
    engine: Engine,
    sessionId: string,
    lease: Lease,
    feed: RunFeed,
    written: { readonly state: RunState; readonly version: number },
  ) {
    this.#engine = engine;
    this.#sessionId = sessionId;
    this.#lease = lease;
    this.#feed = feed;
    this.#state = written.state;
    this.#version = written.version;
    this.#workedBefore = written.state.activeMs;
  }

  get state(): RunState {
    return this.#state;
  }

  /**
   * One atomic effect: turns, variables, and where the run then stands. A run that does not go on gives its lease
   * back with it.
   *
   * @returns the turns as they were stored
   * @throws EndOfRun if the session does not let it; SessionLeaseError if somebody else has the run
   */
  async write(
    state: RunState,
    turns: readonly TurnDraft[] = [],
    patch: ParsedPatch | null = null,
  ): Promise<readonly SessionTurn[]> {
    const { expiry } = this.#engine;
    const next = this.worked(state);
    const isSeen = turns.length > 0 || patch !== null;
    const result = await this.#engine.try(this.#sessionId, {
      guards: {
        status: SessionStateMachine.allowed.write,
        moves: state.moves,
        records: [this.#lease.guard],
      },
      ...(turns.length === 0 ? {} : { append: appendOf(this.#engine, turns) }),
      ...(patch === null ? {} : { patch: { ...patch, ...variableLimits } }),
      ...(turns.length === 0 && patch !== null ? { event: { type: 'variables' } } : {}),
      records: [writeRun(next), ...(next.status === 'running' ? [] : [this.#lease.release])],
      // While a person is waited for the time to live stands still.
      ...(next.status === 'waiting' ? { expiry: { ...expiry, ttlMs: null } } : {}),
      ...(next.status !== 'waiting' && isSeen ? { expiry } : {}),
    });
    if (result.refused !== undefined) throw await this.#refused(result);
    this.#state = next;
    this.#version += 1;
    return this.#feed.absorb(result, turns);
  }

  /** A state with the time that the run has worked until now. */
  worked(state: RunState): RunState {
    const activeMs = Math.round(this.#workedBefore + performance.now() - this.#since);
    return { ...state, activeMs };
  }

  async #refused(refusal: Refusal): Promise<unknown> {
    switch (refusal.refused) {
      case 'status':
        return new EndOfRun(endedBy(refusal.session));
      case 'expected':
        return refusal.what === 'moves' ? new EndOfRun('superseded') : this.lost();
      case 'cap':
        if (refusal.cap === 'turns' || refusal.cap === 'written') return new EndOfRun('turn_limit');
        if (refusal.cap === 'sessionCost' || refusal.cap === 'ownerCost') {
          return new EndOfRun('budget');
        }
        break;
      case 'repeat':
        // Somebody else did this step.
        return this.lost();
      default:
        break;
    }
    return refusalError(this.#sessionId, refusal, 'active');
  }

  /** The error that says who has the run now. */
  async lost(): Promise<Error> {
    return heldBy(this.#sessionId, await readLease(this.#engine, this.#sessionId));
  }

  /** Writes why the run does not go on, whatever the session's status, and gives the lease back. */
  async halt(reason: GroupEndReason): Promise<void> {
    const resumable = ['cancelled', 'error', 'suspended', 'budget'].includes(reason);
    const status = resumable ? 'stopped' : 'ended';
    const next = this.worked({ ...this.#state, status, reason, detail: null });
    // A step whose write was not answered may be stored: where it left the run is then right, and this is not.
    const asWritten = { ...runRecord, version: this.#version };
    const result = await this.#engine.try(this.#sessionId, {
      guards: { records: [this.#lease.guard, asWritten] },
      records: [writeRun(next), this.#lease.release],
    });
    if (result.refused === 'expected') throw await this.lost();
    if (result.refused !== undefined) throw refusalError(this.#sessionId, result, 'active');
    this.#state = next;
  }

  /** The same as far as it can be done; at least the lease is given back, if it is still ours. */
  async leave(reason: GroupEndReason): Promise<void> {
    try {
      await this.halt(reason);
    } catch {
      const guards = { records: [this.#lease.guard] };
      const records = [this.#lease.release];
      await this.#engine.try(this.#sessionId, { guards, records }).catch(() => {});
    }
  }
}
