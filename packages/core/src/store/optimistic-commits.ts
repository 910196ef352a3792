import { SessionStoreUnavailableError } from '../errors.ts';
import { commitIn } from './commit-in.ts';
import { createIn } from './create-in.ts';
import { OptimisticBatch, type OptimisticJob } from './optimistic-batch.ts';
import type { OptimisticEngine } from './optimistic-engine.ts';
import { type Need, Reads } from './optimistic-needs.ts';
import type { KnownSession } from './optimistic-transaction.ts';
import type { Commit, CommitResult, NewSession, OperationKey } from './port.ts';
import type { Owner } from './rows.ts';

export interface OptimisticOptions {
  /** How long a call may take in all, lost races and lost connections included. */
  readonly callTimeoutMs: number;
}

/** Sessions, and owners, of which something is remembered; the one not used for longest goes first. */
const remembered = 1_000;

/**
 * `create` and `commit` for engines behind a network: the same rules as everywhere, run over what is known of a
 * session, and written by one statement if the session is still as it was. What waits for the same session goes
 * in one flush, and each commit is refused on its own; different sessions do not wait for each other.
 */
export class OptimisticCommits {
  readonly #engine: OptimisticEngine;
  readonly #timeoutMs: number;
  readonly #known = new Map<string, KnownSession>();
  readonly #owners = new Map<string, { readonly open: number; readonly version: number }>();
  /** What waits for one session. */
  readonly #lanes = new Map<string, OptimisticJob[]>();
  /** Races that were lost of late, of sessions that lost some. */
  readonly #contention = new Map<string, number>();
  #idle: (() => void)[] = [];

  constructor(engine: OptimisticEngine, { callTimeoutMs }: OptimisticOptions) {
    this.#engine = engine;
    this.#timeoutMs = callTimeoutMs;
  }

  create(session: NewSession): Promise<CommitResult> {
    // Creations of one owner are in each other's way only where a cap is to be kept.
    const lane =
      session.ownerCap === null
        ? `session ${session.sessionId}`
        : `owner ${ownerKey(session.owner)}`;
    return this.#enqueue(lane, {
      sessionId: session.sessionId,
      creates: session,
      turns: session.turns,
      countsForOwner: session.ownerCap !== null,
      anticipates: session.operation === undefined ? [] : [operationNeed(session.operation)],
      isRepeatable: session.operation !== undefined,
      run: (tx) => createIn(tx, session),
    });
  }

  commit(sessionId: string, commit: Commit): Promise<CommitResult> {
    const turns = commit.append?.turns ?? [];
    const isRepeatable =
      commit.operation !== undefined || (turns.length > 0 && turns.every((turn) => turn.chosen));
    return this.#enqueue(sessionId, {
      sessionId,
      creates: null,
      turns,
      countsForOwner: (commit.append?.budget?.owner ?? null) !== null,
      anticipates: anticipate(commit),
      isRepeatable,
      run: (tx) => commitIn(tx, sessionId, commit),
    });
  }

  /** Forgets a session: after writes that went past `commit`. */
  forget(sessionId: string): void {
    this.#known.delete(sessionId);
  }

  /** Resolves when nothing waits any more. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#lanes.size > 0) this.#idle.push(resolve);
      else resolve();
    });
  }

  #enqueue(
    name: string,
    job: Omit<OptimisticJob, 'resolve' | 'reject' | 'deadline'>,
  ): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#timeoutMs;
      const waiting = { ...job, deadline, resolve, reject };
      const lane = this.#lanes.get(name);
      if (lane !== undefined) {
        lane.push(waiting);
        return;
      }
      const opened = [waiting];
      this.#lanes.set(name, opened);
      void this.#work(name, opened);
    });
  }

  async #work(name: string, lane: OptimisticJob[]): Promise<void> {
    while (lane.length > 0) {
      const jobs = take(lane);
      await this.#flush(jobs);
      // Who was answered asks again within this turn of the event loop, and then shares the next flush.
      if (jobs.length > 1) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#lanes.delete(name);
    if (this.#lanes.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #flush(jobs: readonly OptimisticJob[]): Promise<void> {
    const { creates, sessionId } = jobs[0] as OptimisticJob;
    const batch = new OptimisticBatch(jobs, this.#recall(sessionId, creates));
    try {
      const lost = await batch.run(this.#engine, this.#contention.get(sessionId) ?? 0);
      this.#contention.delete(sessionId);
      if (lost > 0) put(this.#contention, sessionId, lost);
      this.#remember(sessionId, creates, batch);
    } catch (error) {
      this.forget(sessionId);
      const left = batch.unanswered();
      // What fails for one need not fail for the others.
      if (left.length > 1 && !(error instanceof SessionStoreUnavailableError)) {
        for (const job of left) await this.#flush([job]);
      } else {
        for (const { reject } of left) reject(error);
      }
    }
  }

  #recall(sessionId: string, creates: NewSession | null): KnownSession | undefined {
    if (creates === null) return this.#known.get(sessionId);
    const reads = new Reads();
    if (creates.ownerCap !== null) {
      const owner = this.#owners.get(ownerKey(creates.owner));
      if (owner !== undefined) {
        reads.set({ need: 'open', owner: creates.owner, limit: creates.ownerCap }, owner);
      }
    }
    // A new id is taken to be new: the engine refuses one that is not.
    return { sessionId, row: undefined, version: 0, reads };
  }

  #remember(sessionId: string, creates: NewSession | null, { known }: OptimisticBatch): void {
    this.#known.delete(sessionId);
    if (known?.row !== undefined) put(this.#known, sessionId, known);
    if (creates === null) return;
    const owner = ownerKey(creates.owner);
    this.#owners.delete(owner);
    for (const [, open] of known?.reads.of('open') ?? []) put(this.#owners, owner, open);
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= remembered) map.delete(map.keys().next().value as string);
  map.set(key, value);
}

function ownerKey({ tenantId, userId }: Owner): string {
  return JSON.stringify([tenantId, userId]);
}

/** What the rules will look at, whatever they then decide. */
function anticipate({ checkpoint, guards, operation, records }: Commit): readonly Need[] {
  const needs: Need[] = [];
  const record = ({ key, kind }: { readonly kind: string; readonly key: string }): void => {
    needs.push({ need: 'record', kind, key });
  };
  if (operation !== undefined) {
    needs.push(operationNeed(operation));
    record({ kind: 'metadata', key: '' });
  }
  guards?.records?.forEach(record);
  records?.forEach(record);
  for (const { kind } of guards?.counts ?? []) needs.push({ need: 'count', kind });
  const label = checkpoint?.label ?? null;
  if (label !== null) needs.push({ need: 'labelled', kind: 'checkpoint', label });
  return needs;
}

function operationNeed({ id }: OperationKey): Need {
  return { need: 'record', kind: 'operation', key: id };
}

/** How much goes in one flush. */
const most = { jobs: 64, turns: 256, characters: 4_000_000 };

/** The first ones that go together; a creation goes alone. */
function take(waiting: OptimisticJob[]): readonly OptimisticJob[] {
  let count = 0;
  let turns = 0;
  let characters = 0;
  for (const job of waiting) {
    turns += job.turns.length;
    for (const turn of job.turns) characters += turn.body.length;
    const fits = turns <= most.turns && characters <= most.characters && job.creates === null;
    if (count > 0 && !fits) break;
    count += 1;
    if (count === most.jobs || job.creates !== null) break;
  }
  return waiting.splice(0, count);
}
