import { SessionCorruptDataError } from '../errors.ts';
import { readStored } from '../session/read-stored.ts';
import type { RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';
import type { ManagerState } from './agent.ts';
import type { Decision, Question } from './question.ts';

/** Why a run does not go on. */
export type GroupEndReason =
  /** The turn manager has nobody left to speak. */
  | 'complete'
  /** A stop condition was met; `detail` says which. */
  | 'stopped'
  /** The rounds, steps or time of work that the call allowed are used up. */
  | 'rounds'
  | 'steps'
  | 'time'
  /** A person is asked: `resume` goes on with the answer. */
  | 'waiting'
  /** The call's signal was aborted, or its stream was left: `resume` goes on. */
  | 'cancelled'
  /** An agent failed and its policy is `stop`: `resume` tries again. */
  | 'error'
  /** The session was suspended: `resume` goes on once it is active again. */
  | 'suspended'
  /** A move of the session, or a newer run, took its place. */
  | 'superseded'
  | 'closed'
  | 'expired'
  /** The session's cap of turns is reached. */
  | 'turn_limit'
  /** A budget of the configuration is spent: `resume` goes on once it is raised. */
  | 'budget'
  /** The same step brought the process down again and again. */
  | 'failed';

/** The step that was done last. */
export interface LastStep {
  readonly step: number;
  readonly agent: string;
  /** Whom it handed over to; null is nobody, absent if it did not hand over. */
  readonly handOver?: string | null;
  /** Who speaks in its place, for it failed. */
  readonly standIn?: string;
  /** Its tools ran: the same agent goes on. */
  readonly tools?: boolean;
}

/**
 * Where a run stands: all that another process needs to go on. It is one record of the session, written in the
 * same atomic effect as the turns of each step.
 */
export interface RunState {
  readonly runId: string;
  /** `stopped` can be resumed, `ended` cannot. */
  readonly status: 'running' | 'waiting' | 'stopped' | 'ended';
  /** What the step under way does: an agent speaks, its tools run, or the next speaker is being chosen. */
  readonly phase: 'agent' | 'tools' | 'choosing';
  /** The step under way, from 1. */
  readonly step: number;
  readonly agent: string | null;
  readonly round: number;
  readonly selections: number;
  /** The seq of the message that began the run. */
  readonly from: number;
  /** The session's moves when it began: another number means that it was superseded. */
  readonly moves: number;
  readonly manager: ManagerState;
  /** Cost is nano-dollars. */
  readonly spent: { readonly turns: number; readonly tokens: number; readonly cost: number };
  readonly activeMs: number;
  readonly maxRounds: number | null;
  readonly maxSteps: number;
  readonly maxMs: number;
  readonly last: LastStep | null;
  /** How often the step under way was taken over after a crash. */
  readonly recoveries: number;
  readonly question: Question | null;
  /** What a person decided for the step under way: by the id of a tool call, or by '' for the agent's word. */
  readonly decisions: readonly (readonly [string, Decision])[];
  readonly reason: GroupEndReason | null;
  readonly detail: string | null;
}

const place = { kind: 'group', key: 'run' } as const;

export const runRecord: typeof place = place;

export function writeRun(state: RunState): RecordWrite {
  return { ...place, value: JSON.stringify(state) };
}

/** @throws SessionCorruptDataError */
export function readRun(sessionId: string, record: RecordRow): RunState {
  const where = `the group run of session '${sessionId}'`;
  const value = readStored(record.value, where) as unknown as RunState;
  if (typeof value.runId === 'string' && Number.isSafeInteger(value.step)) return value;
  throw new SessionCorruptDataError(where, 'what stands there is no run');
}
