import { SessionConflictError, type SessionError, SessionInputError } from '../errors.ts';
import { appendOf } from '../manager/append.ts';
import { heldBy, Lease, readLease, takingLease, wasAbandoned, wasHeld } from '../manager/lease.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { kindOf, newTurnId } from '../session/ids.ts';
import type { TurnDraft } from '../session/parse-turn.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Commit, Committed, OperationKey, Refusal } from '../store/port.ts';
import type { RecordRow, SessionRow } from '../store/rows.ts';
import { over } from './choose-next.ts';
import type { GroupEvent, GroupResult } from './group-event.ts';
import type { GroupParts } from './group-parts.ts';
import { GroupRun } from './group-run.ts';
import { type ParsedInput, parseInput } from './question.ts';
import { resultOf } from './run-result.ts';
import { type RunState, readRun, runRecord, writeRun } from './run-state.ts';

type Events = AsyncGenerator<GroupEvent, GroupResult, undefined>;

/** What a run is allowed, checked. */
export interface RunLimits {
  readonly maxRounds: number | null;
  readonly maxSteps: number;
  readonly maxMs: number;
}

/** Times that a commit which takes the lease is tried on what others left. */
const attempts = 4;
/** Crashes at the same step after which it is not tried again. */
const maxRecoveries = 3;

/** What is there before a run begins or goes on. */
interface Standing {
  readonly row: SessionRow;
  readonly lease: RecordRow | null;
  readonly run: RunState | null;
  /** The version of the run's record; 0 if there is none. */
  readonly version: number;
}

async function standing(parts: GroupParts, sessionId: string): Promise<Standing> {
  const { engine } = parts;
  const row = await engine.session(sessionId);
  const lease = await readLease(engine, sessionId);
  const record = await engine.store.record(sessionId, runRecord.kind, runRecord.key);
  return {
    row,
    lease,
    run: record === null ? null : readRun(sessionId, record),
    version: record?.version ?? 0,
  };
}

/** Begins a run with a message: it is stored together with the lease and the first speaker. */
export async function* beginRun(
  parts: GroupParts,
  sessionId: string,
  message: (turnId: string) => TurnDraft,
  limits: RunLimits,
  signal: AbortSignal | undefined,
  operationOf: (draft: TurnDraft) => OperationKey | undefined,
): Events {
  const runId = newTurnId();
  const draft = message(`${runId}.0.0`);
  const operation = operationOf(draft);
  for (let attempt = 1; ; attempt++) {
    const { lease, row, version } = await standing(parts, sessionId);
    const run = await GroupRun.open(parts, row);
    const first = run.choose(newRun(runId, row, limits), [draft]);
    const result = await take(parts, sessionId, lease, first, {
      guards: { status: SessionStateMachine.allowed.write, moves: row.moves },
      append: appendOf(parts.engine, [draft]),
      expiry: parts.engine.expiry,
      ...(operation === undefined ? {} : { operation }),
    });
    if (result.refused !== undefined) {
      await orThrow(parts, sessionId, result, attempt);
      continue;
    }
    if (result.replayed) return yield* resumeRun(parts, sessionId, undefined, signal);
    const [turn] = await run.feed.absorb(result, [draft]);
    yield { type: 'turn', agent: null, step: 0, turn: turn as SessionTurn };
    return yield* goOn(
      parts,
      sessionId,
      run,
      lease,
      { state: first, version: version + 1 },
      signal,
      false,
    );
  }
}

function newRun(runId: string, row: SessionRow, limits: RunLimits): RunState {
  return {
    runId,
    status: 'running',
    phase: 'choosing',
    step: 1,
    agent: null,
    round: 1,
    selections: 0,
    from: row.head.seq + 1,
    moves: row.moves,
    manager: null,
    spent: { turns: 0, tokens: 0, cost: 0 },
    activeMs: 0,
    ...limits,
    last: null,
    recoveries: 0,
    question: null,
    decisions: [],
    reason: null,
    detail: null,
  };
}

/** Goes on with the session's run: after a crash, a stop, or with what a person answered. */
export async function* resumeRun(
  parts: GroupParts,
  sessionId: string,
  input: unknown,
  signal: AbortSignal | undefined,
): Events {
  for (let attempt = 1; ; attempt++) {
    const { lease, row, run: before, version } = await standing(parts, sessionId);
    if (before === null) throw conflict(row, 'there is no group run to resume; begin one with run');
    const asked = before.status === 'waiting' ? before.question : null;
    if (input !== undefined && asked === null) {
      throw conflict(row, 'the group run asks nothing; resume it without an input');
    }
    if (before.status === 'ended' || (asked !== null && input === undefined)) {
      return await resultOf(parts.engine, sessionId, before);
    }
    const turnId = `${before.runId}.${before.step}.answer`;
    const parsed = asked === null ? null : parseInput(input, asked, turnId);
    const drafts = parsed !== null && 'turn' in parsed ? [parsed.turn] : [];
    const next = nextState(before, row, wasAbandoned(lease), parsed);
    if (next.status === 'running' && next.agent !== null && !parts.seats.has(next.agent)) {
      throw new SessionInputError(
        'agents',
        `it is the turn of ${kindOf(next.agent)}, who is not in the group; add this agent`,
      );
    }
    const run = await GroupRun.open(parts, row);
    const result = await take(parts, sessionId, lease, next, {
      guards: {
        ...(next.status === 'ended' ? {} : { status: SessionStateMachine.allowed.write }),
        moves: row.moves,
      },
      ...(drafts.length === 0 || next.status === 'ended'
        ? {}
        : { append: appendOf(parts.engine, drafts) }),
      ...(asked === null ? {} : { expiry: parts.engine.expiry }),
    });
    if (result.refused !== undefined) {
      await orThrow(parts, sessionId, result, attempt);
      continue;
    }
    if (next.status === 'ended') return await run.result(next);
    for (const turn of await run.feed.absorb(result, drafts)) {
      yield { type: 'turn', agent: null, step: next.step, turn };
    }
    return yield* goOn(
      parts,
      sessionId,
      run,
      lease,
      { state: next, version: version + 1 },
      signal,
      true,
    );
  }
}

/** Where the run stands once it is taken up again. */
function nextState(
  before: RunState,
  row: SessionRow,
  crashed: boolean,
  input: ParsedInput | null,
): RunState {
  if (before.moves !== row.moves) return over(before, 'superseded', null).state;
  const recoveries = before.recoveries + (before.status === 'running' && crashed ? 1 : 0);
  if (recoveries > maxRecoveries) {
    return over(before, 'failed', `step ${before.step} was taken over ${maxRecoveries} times`)
      .state;
  }
  const { question } = before;
  const about = question?.toolCall?.id ?? '';
  const decision = input === null || question?.about === 'question' ? null : input;
  const decided =
    decision === null ? [] : [[about, 'turn' in decision ? approved : decision.decision] as const];
  return {
    ...before,
    status: 'running',
    reason: null,
    detail: null,
    question: null,
    recoveries,
    decisions: [...before.decisions, ...decided],
  };
}

const approved = { approve: true } as const;

/** Commits and takes the lease in the same effect; a run that is over at once takes it and gives it back. */
function take(
  parts: GroupParts,
  sessionId: string,
  before: RecordRow | null,
  state: RunState,
  commit: Commit,
): Promise<Committed | Refusal> {
  const taking = takingLease(before, parts.holder, parts.leaseMs);
  const lease = Lease.taken(parts.engine, sessionId, parts.holder, parts.leaseMs, before);
  return parts.engine.try(sessionId, {
    ...commit,
    guards: { ...commit.guards, records: taking.guards },
    records: [state.status === 'running' ? taking.record : lease.release, writeRun(state)],
  });
}

async function* goOn(
  parts: GroupParts,
  sessionId: string,
  run: GroupRun,
  before: RecordRow | null,
  written: { readonly state: RunState; readonly version: number },
  signal: AbortSignal | undefined,
  resumed: boolean,
): Events {
  if (written.state.status !== 'running') return await run.result(written.state);
  const lease = Lease.taken(parts.engine, sessionId, parts.holder, parts.leaseMs, before);
  return yield* run.drive(lease, written, signal, resumed);
}

/** Returns if it is worth another try: somebody else has moved the session, or has given the lease back. */
async function orThrow(
  parts: GroupParts,
  sessionId: string,
  refusal: Refusal,
  attempt: number,
): Promise<void> {
  if (refusal.refused !== 'expected') throw refusalError(sessionId, refusal, 'active');
  if (refusal.what !== 'record') {
    if (attempt < attempts) return;
    throw refusalError(sessionId, refusal, 'active');
  }
  const lease = await readLease(parts.engine, sessionId);
  if (wasHeld(lease) || attempt === attempts) throw heldBy(sessionId, lease);
}

function conflict(row: SessionRow, message: string): SessionError {
  return new SessionConflictError('run', row.sessionId, message, row);
}
