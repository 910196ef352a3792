import { isSessionError, SessionStoreUnavailableError } from '../errors.ts';
import type { FlushOutcome, OptimisticAccess, OptimisticEngine } from './optimistic-engine.ts';
import { type Need, Needs, Reads } from './optimistic-needs.ts';
import {
  type KnownSession,
  MustWait,
  OptimisticTransaction,
  type SessionWrites,
} from './optimistic-transaction.ts';
import type { CommitResult, NewSession, NewTurn } from './port.ts';
import type { TurnRow } from './rows.ts';
import type { StoreTransaction } from './transaction.ts';

/** One create or commit on its way. */
export interface OptimisticJob {
  readonly sessionId: string;
  readonly creates: NewSession | null;
  readonly turns: readonly NewTurn[];
  /** Whether a cap or a budget of all the owner's sessions is judged. */
  readonly countsForOwner: boolean;
  /** What the rules will ask, as far as the commit itself tells. */
  readonly anticipates: readonly Need[];
  /** Whether the rules tell a repeat of it from the first time. */
  readonly isRepeatable: boolean;
  /** When it gives up, on `performance.now()`. */
  readonly deadline: number;
  run(tx: StoreTransaction): CommitResult;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

type Answer = { readonly result: CommitResult } | { readonly error: unknown };

/** A flush whose answer was lost, with what it would have answered. */
interface Doubt {
  readonly writes: SessionWrites;
  readonly answers: ReadonlyMap<OptimisticJob, Answer>;
}

/** Races that are lost before the session is locked, and what the count is set to then: so many flushes are locked. */
const patience = 3;
const lockedFor = 10;

/** The flush of commits to one session: judged, written, and judged again until it is clear what became of them. */
export class OptimisticBatch {
  #jobs: readonly OptimisticJob[];
  /** What is known of the session in the end. */
  known: KnownSession | undefined;
  /** Whether it was read after the jobs came: only then may it be the reason to refuse them. */
  #isFresh = false;
  readonly #needs = new Needs();
  readonly #doubts: Doubt[] = [];
  /** Why the last try came to nothing, if not for others. */
  #failure: unknown;
  #answers: ReadonlyMap<OptimisticJob, Answer> = new Map();

  constructor(jobs: readonly OptimisticJob[], known: KnownSession | undefined) {
    this.#jobs = jobs;
    this.known = known;
  }

  unanswered(): readonly OptimisticJob[] {
    return this.#jobs;
  }

  /** @param contention races that the session's commits lost of late; answers the same for the next ones */
  async run(engine: OptimisticEngine, contention: number): Promise<number> {
    let lost = contention;
    for (let failures = 0; this.#jobs.length > 0; ) {
      this.#failure = undefined;
      try {
        const { exclusively } = engine;
        // Whoever holds a session's lock must not wait for the row of its owner.
        const isFree = this.#jobs.every((job) => !job.countsForOwner);
        const isLocked = lost >= patience && isFree && exclusively !== undefined;
        // What was known may have changed before the lock was there.
        if (isLocked) this.known = undefined;
        const attempt = isLocked
          ? exclusively.call(engine, this.#until, (access) => this.#attempt(access))
          : this.#attempt(engine);
        if ((await attempt) === 'moved') lost = lost + 1 < patience ? lost + 1 : lockedFor;
        else lost = isLocked ? lost - 1 : 0;
      } catch (error) {
        this.#giveUp(error);
        failures += 1;
      }
      this.#answer();
      if (failures > 0 && this.#jobs.length > 0) await pause(failures);
    }
    return lost;
  }

  get #until(): number {
    return Math.min(...this.#jobs.map((job) => job.deadline));
  }

  /** One flush, or none if all is refused. What is decided is in `#answers`, to be told once it is certain. */
  async #attempt(access: OptimisticAccess): Promise<FlushOutcome['outcome']> {
    for (;;) {
      if (this.known === undefined || this.#needs.size > 0) {
        await this.#load(access);
        if (this.#settleDoubts()) return 'done';
      }
      const known = this.known as KnownSession;
      const tx = new OptimisticTransaction(known, access.now());
      const answers = this.#judge(tx);
      if (this.#needs.size > 0) continue;
      const writes = tx.writes(this.#chosen());
      if (writes === null && !this.#isFresh) {
        this.known = undefined;
        this.#lookAtOwner();
        continue;
      }
      if (writes === null) {
        this.#answers = answers;
        return 'done';
      }
      return this.#flush(access, tx, writes, answers);
    }
  }

  /** Runs the rules. Fills `#needs` if they lacked something, or relied on what nobody looked at to refuse. */
  #judge(tx: OptimisticTransaction): ReadonlyMap<OptimisticJob, Answer> {
    const answers = new Map<OptimisticJob, Answer>();
    for (const job of this.#jobs) {
      const savepoint = tx.savepoint();
      const lacking = tx.lacks.size;
      let answer: Answer;
      try {
        answer = { result: job.run(tx) };
      } catch (error) {
        if (error instanceof MustWait) {
          tx.rewind(savepoint);
          continue;
        }
        answer = { error };
      }
      if (tx.lacks.size > lacking || isRefusal(answer)) {
        tx.rewind(savepoint);
        // A write that relies on them is refused by the engine; a refusal must look.
        if (tx.lacks.size === lacking) for (const need of tx.assumed) this.#needs.add(need);
      }
      answers.set(job, answer);
    }
    for (const need of tx.lacks) this.#needs.add(need);
    return answers;
  }

  async #load(access: OptimisticAccess): Promise<void> {
    const { sessionId } = this.#jobs[0] as OptimisticJob;
    if (this.known === undefined) {
      for (const job of this.#jobs) for (const need of job.anticipates) this.#needs.add(need);
    }
    for (const { writes } of this.#doubts) {
      for (const { turnId } of this.#witnesses(writes)) this.#needs.add({ need: 'turn', turnId });
    }
    const needs: readonly Need[] = [...this.#needs];
    const { found, row, version } = await access.load(sessionId, needs, this.#until);
    const reads = new Reads();
    // Another session's variables, and what an owner has open, are as old as their own reading.
    if (this.known?.version === version && row !== undefined) reads.add(this.known.reads);
    for (const [i, need] of needs.entries()) reads.set(need, found[i]);
    this.known = { sessionId, row, version, reads };
    this.#needs.clear();
    this.#isFresh = true;
  }

  async #flush(
    access: OptimisticAccess,
    tx: OptimisticTransaction,
    writes: SessionWrites,
    answers: ReadonlyMap<OptimisticJob, Answer>,
  ): Promise<FlushOutcome['outcome']> {
    const flushed = await access.flush(writes, this.#until);
    if (flushed.outcome === 'done') {
      this.known = tx.flushed(flushed);
      this.#answers = answers;
      return 'done';
    }
    this.known = undefined;
    if (flushed.outcome === 'taken') this.#lookAtAll(writes);
    if (flushed.outcome === 'moved') this.#lookAtTurns(writes.unseen);
    if (flushed.outcome !== 'unknown') this.#lookAtOwner();
    if (flushed.outcome === 'unknown') {
      this.#failure = flushed.error;
      this.#doubt(flushed.error, writes, answers);
    }
    return flushed.outcome;
  }

  #lookAtOwner(): void {
    const creates = this.#jobs[0]?.creates;
    if (!creates || creates.ownerCap === null) return;
    this.#needs.add({ need: 'open', owner: creates.owner, limit: creates.ownerCap });
  }

  /** Something that was taken to be new is there: next time all of it is looked at. */
  #lookAtAll(writes: SessionWrites): void {
    const own = writes.turns.filter(({ origin }) => origin === null);
    this.#lookAtTurns(own.map(({ turnId }) => turnId));
    for (const { mustBeNew, record } of writes.records) {
      if (mustBeNew) this.#needs.add({ need: 'record', kind: record.kind, key: record.key });
    }
  }

  #lookAtTurns(turnIds: readonly string[]): void {
    for (const turnId of turnIds) this.#needs.add({ need: 'turn', turnId });
  }

  #chosen(): ReadonlySet<string> {
    const chosen = new Set<string>();
    for (const { turns } of this.#jobs) {
      for (const turn of turns) if (turn.chosen) chosen.add(turn.turnId);
    }
    return chosen;
  }

  /** An answer was lost. What no later look can find out about is told so at once; the rest goes on. */
  #doubt(error: unknown, writes: SessionWrites, answers: ReadonlyMap<OptimisticJob, Answer>): void {
    this.#doubts.push({ writes, answers });
    if (writes.before === undefined || this.#witnesses(writes).length > 0) return;
    const lost = new Map<OptimisticJob, Answer>();
    for (const job of this.#jobs) if (!job.isRepeatable) lost.set(job, { error });
    this.#answers = lost;
  }

  /** Turns whose ids nobody else can have given: where they stand tells whether a flush went through. */
  #witnesses(writes: SessionWrites): readonly TurnRow[] {
    const generated = new Set(
      this.#jobs
        .flatMap(({ turns }) => turns.filter((turn) => !turn.chosen))
        .map((turn) => turn.turnId),
    );
    return writes.turns
      .filter(({ origin, turnId }) => origin === null && generated.has(turnId))
      .slice(0, 1);
  }

  /** Whether a flush in doubt turns out to be written; then it is answered as if its answer had come. */
  #settleDoubts(): boolean {
    for (const { answers, writes } of this.#doubts) {
      if (!this.#isWritten(writes)) continue;
      this.#answers = answers;
      this.known = undefined;
      return true;
    }
    return false;
  }

  #isWritten(writes: SessionWrites): boolean {
    const { reads, row } = this.known as KnownSession;
    const [witness] = this.#witnesses(writes);
    if (witness !== undefined) {
      const found = reads.get<'turn'>({ need: 'turn', turnId: witness.turnId });
      return (
        found?.timelineId === witness.timelineId &&
        found.seq === witness.seq &&
        found.revision === witness.revision
      );
    }
    // A session's id is as good as random, and so is the moment at which it was made.
    if (writes.before !== undefined || row === undefined) return false;
    const made = writes.row;
    return (
      row.createdAt === made.createdAt &&
      row.userId === made.userId &&
      row.tenantId === made.tenantId
    );
  }

  #giveUp(error: unknown): void {
    const isTransient =
      isSessionError(error) &&
      error instanceof SessionStoreUnavailableError &&
      error.reason === 'unreachable';
    if (!isTransient) throw error;
    this.known = undefined;
    this.#failure = error;
    const now = performance.now();
    const late = new Map<OptimisticJob, Answer>();
    // A try that began just before the end would only prolong it.
    for (const job of this.#jobs) if (job.deadline - now < 10) late.set(job, { error });
    this.#answers = late;
  }

  #answer(): void {
    const answers = this.#answers;
    this.#answers = new Map();
    if (answers.size === 0) {
      this.#expire();
      return;
    }
    this.#jobs = this.#jobs.filter((job) => !answers.has(job));
    for (const [job, answer] of answers) {
      if ('error' in answer) job.reject(answer.error);
      else job.resolve(answer.result);
    }
  }

  /** However often a race or an answer is lost: a call ends in its time. */
  #expire(): void {
    const now = performance.now();
    const late = this.#jobs.filter((job) => job.deadline <= now);
    if (late.length === 0) return;
    this.#jobs = this.#jobs.filter((job) => job.deadline > now);
    for (const job of late) {
      const message = `session '${job.sessionId}' was busy for too long; try again`;
      job.reject(this.#failure ?? new SessionStoreUnavailableError('locked', message));
    }
  }
}

function isRefusal(answer: Answer): boolean {
  return 'error' in answer || answer.result.refused !== undefined || answer.result.replayed;
}

/** Longer with each failure, up to a fifth of a second. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(200, 5 * 2 ** attempt)));
}
