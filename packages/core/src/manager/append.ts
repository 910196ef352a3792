import { fillCost } from '../analytics/fill-cost.ts';
import type { SessionCheckpoint } from '../checkpointing/checkpoint.ts';
import { readCheckpoint } from '../checkpointing/checkpoint.ts';
import { SessionInputError, SessionLimitError } from '../errors.ts';
import { checkSessionId, shapeOf } from '../session/ids.ts';
import { mapItems, utf8Bytes } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount, parseHead } from '../session/parse-head.ts';
import { parseVariablesPatch } from '../session/parse-patch.ts';
import { parseTurn, type TurnDraft } from '../session/parse-turn.ts';
import { readInput } from '../session/read-input.ts';
import { readTurn, sameContent, writtenTurn } from '../session/read-turn.ts';
import type { SessionPosition, SessionStatus } from '../session/state.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Append, Commit, Committed, Refusal } from '../store/port.ts';
import type { SessionHead, TurnRow } from '../store/rows.ts';
import { History } from '../timeline/history.ts';
import type { Engine, OperationOptions } from './engine.ts';
import { refusalError } from './refusal-error.ts';
import { checkVariables } from './schemas.ts';

/** Options of `addTurn` and `addTurns`. */
export interface AddTurnOptions<Variables = object> extends OperationOptions {
  /** The head that the caller saw; of writers with the same one exactly one wins. */
  readonly expectedHead?: SessionPosition | undefined;
  /** The number of turns that the caller saw. */
  readonly expectedSeq?: number | undefined;
  /** Variables to set in the same atomic effect. */
  readonly variables?: Partial<Variables> | undefined;
  /** Variables to unset in the same atomic effect. */
  readonly unset?: readonly string[] | undefined;
}

/** Where the session stands after turns were added. */
export interface Appended {
  readonly head: SessionPosition;
  /** The seq of the turn, of a batch that of its last one. */
  readonly seq: number;
  readonly revision: number;
  readonly turnCount: number;
  /** `closed` if this turn filled the session's cap. */
  readonly status: SessionStatus;
  /** Whether the turn was there already and nothing was written. */
  readonly duplicate: boolean;
  /** False if the turn was left behind by a move. */
  readonly current: boolean;
  /** The automatic checkpoints that were made. */
  readonly checkpoints: readonly SessionCheckpoint[];
}

export interface AddedTurn extends Appended {
  readonly turn: SessionTurn;
}

export interface AddedTurns extends Appended {
  readonly turns: readonly SessionTurn[];
}

const optionKeys = ['expectedHead', 'expectedSeq', 'variables', 'unset', 'operationId'];

/** A batch that a caller gave: at most 100 turns and 4 MiB, each id once. @throws SessionInputError, SessionLimitError */
export function parseBatch(turns: unknown): readonly TurnDraft[] {
  return readInput('turns', () => parseTurns(turns));
}

function parseTurns(turns: unknown): readonly TurnDraft[] {
  if (!Array.isArray(turns)) {
    throw new SessionInputError('turns', `expected an array, got ${shapeOf(turns)}`);
  }
  if (turns.length === 0) throw new SessionInputError('turns', 'must not be empty');
  if (turns.length > limits.batchTurns) {
    throw new SessionLimitError('turns', 'batchTurns', turns.length, limits.batchTurns, 'turns');
  }
  const drafts = mapItems(turns, (turn, i) => parseTurn(turn, `turns[${i}]`));
  const bytes = drafts.reduce((sum, draft) => sum + draft.body.length * 3, 0);
  if (bytes > limits.batchBytes) {
    const exact = drafts.reduce((sum, draft) => sum + utf8Bytes(draft.body), 0);
    if (exact > limits.batchBytes) {
      throw new SessionLimitError('turns', 'batchBytes', exact, limits.batchBytes, 'bytes');
    }
  }
  const seen = new Map<string, number>();
  for (const [i, { turnId }] of drafts.entries()) {
    const first = seen.get(turnId);
    if (first !== undefined) {
      throw new SessionInputError(`turns[${i}].turnId`, `is the same as that of turns[${first}]`);
    }
    seen.set(turnId, i);
  }
  return drafts;
}

/** Adds one turn. */
export async function appendOne(
  engine: Engine,
  sessionId: string,
  turn: unknown,
  options: AddTurnOptions | undefined,
): Promise<AddedTurn> {
  const { appended, turns } = await append(engine, sessionId, [parseTurn(turn)], options);
  return Object.freeze({ turn: turns[0] as SessionTurn, ...appended });
}

/** Adds turns. All or nothing, in one atomic effect with the patch and the checkpoints. */
export async function appendAll(
  engine: Engine,
  sessionId: string,
  batch: unknown,
  options: AddTurnOptions | undefined,
): Promise<AddedTurns> {
  const { appended, turns } = await append(engine, sessionId, parseBatch(batch), options);
  return Object.freeze({ turns: Object.freeze(turns), ...appended });
}

interface Outcome {
  readonly turns: readonly SessionTurn[];
  readonly appended: Appended;
}

async function append(
  engine: Engine,
  sessionId: string,
  given: readonly TurnDraft[],
  options: AddTurnOptions | undefined,
): Promise<Outcome> {
  checkSessionId(sessionId);
  const drafts = given.map((draft) => fillCost(engine.prices, draft));
  const commit =
    options === undefined
      ? plainCommit(engine, drafts)
      : await commitWithOptions(engine, drafts, options);
  const result = await engine.try(sessionId, commit);
  if (result.refused === 'repeat') return repeated(engine, sessionId, drafts, result);
  if (result.refused !== undefined) throw refusalError(sessionId, result, 'active');
  const turns = result.replayed
    ? await replayedTurns(engine, result)
    : drafts.map((draft, i) => writtenTurn(draft, result.turns[i] as { seq: number; at: number }));
  const checkpoints =
    result.checkpoints.length === 0
      ? noCheckpoints
      : Object.freeze(result.checkpoints.map((record) => readCheckpoint(sessionId, record)));
  return { turns, appended: standing(result.session, turns, false, true, checkpoints) };
}

const noCheckpoints: readonly SessionCheckpoint[] = Object.freeze([]);

function standing(
  { head, revision, status }: SessionHead,
  turns: readonly SessionTurn[],
  duplicate: boolean,
  current: boolean,
  checkpoints: readonly SessionCheckpoint[],
): Appended {
  return {
    head: Object.freeze(head),
    seq: turns.at(-1)?.seq ?? head.seq,
    revision,
    turnCount: head.seq,
    status,
    duplicate,
    current,
    checkpoints,
  };
}

function plainCommit(engine: Engine, drafts: readonly TurnDraft[]): Commit {
  const status = SessionStateMachine.allowed.write;
  return { guards: { status }, append: appendOf(engine, drafts), expiry: engine.expiry };
}

async function commitWithOptions(
  engine: Engine,
  drafts: readonly TurnDraft[],
  options: AddTurnOptions,
): Promise<Commit> {
  const given = checkOptions(options, optionKeys);
  const head = parseHead(given.expectedHead);
  const seq = parseCount(given.expectedSeq, 'expectedSeq');
  const patch = parseVariablesPatch(
    given.variables === undefined ? {} : given.variables,
    given.unset,
  );
  await checkVariables(engine, patch);
  const operation = engine.operation(
    given,
    'addTurns',
    drafts.map(({ body, chosen, given, turnId }) => [chosen ? turnId : null, given ?? body]),
    [head, seq, [...patch.set], patch.unset],
  );
  const patched = patch.set.size + patch.unset.length > 0;
  const plain = plainCommit(engine, drafts);
  return {
    ...plain,
    guards: { ...plain.guards, head, seq },
    ...(patched ? { patch: { ...patch, ...variableLimits } } : {}),
    ...(operation === undefined ? {} : { operation }),
  };
}

export const variableLimits: { readonly maxBytes: number; readonly maxKeys: number } = {
  maxBytes: limits.variablesBytes,
  maxKeys: limits.variablesKeys,
};

/** The caps of turns of the configuration. */
export function capOf(engine: Engine): NonNullable<Append['cap']> {
  const { maxTurnsPerSession: turns, onTurnLimit: onFull } = engine.config;
  return { turns, written: turns * 10, onFull };
}

/** The `append` of a commit, with the caps, budgets and checkpoints of the configuration. */
export function appendOf(engine: Engine, drafts: readonly TurnDraft[]): Append {
  const { budget } = engine;
  const append = { turns: drafts, cap: capOf(engine), ...checkpointsOf(engine) };
  return budget === null ? append : { ...append, budget };
}

/** The automatic checkpoints of the configuration. */
export function checkpointsOf(engine: Engine): Pick<Append, 'checkpoints'> {
  const { autoCheckpointInterval: every, maxCheckpointsPerSession: max } = engine.config;
  return every === null ? {} : { checkpoints: { every, max } };
}

/** The turns of an operation that was done before: its ids may have been generated then. */
async function replayedTurns(engine: Engine, result: Committed): Promise<readonly SessionTurn[]> {
  const { timelineId } = result.session.head;
  const from = result.turns[0]?.seq ?? 1;
  const to = result.turns.at(-1)?.seq ?? 0;
  const rows = await engine.store.turns([{ timelineId, from, to }], {
    limit: limits.batchTurns,
    order: 'asc',
  });
  return rows.map(readTurn);
}

/** A repeat with the same content is answered as before; with other content it is a conflict. */
async function repeated(
  engine: Engine,
  sessionId: string,
  drafts: readonly TurnDraft[],
  refusal: Extract<Refusal, { refused: 'repeat' }>,
): Promise<Outcome> {
  const rows: TurnRow[] = [];
  for (const [i, draft] of drafts.entries()) {
    const row = refusal.turns[i] ?? null;
    if (row === null || !sameContent(row, draft)) {
      throw refusalError(sessionId, refusal, 'active');
    }
    rows.push(row);
  }
  const history = await History.open(engine.store, refusal.session.head);
  const shown = await Promise.all(rows.map((row) => history?.has(row) ?? false));
  const turns = rows.map(readTurn);
  const current = shown.every(Boolean);
  return { turns, appended: standing(refusal.session, turns, true, current, noCheckpoints) };
}
