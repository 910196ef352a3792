import { fillCost } from '../analytics/fill-cost.ts';
import { SessionConflictError, SessionInputError, SessionNotFoundError } from '../errors.ts';
import { capOf, variableLimits } from '../manager/append.ts';
import type { Engine, OperationOptions } from '../manager/engine.ts';
import { clearedRedo, openHistory, standing, writableSession } from '../manager/moves.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { checkVariables } from '../manager/schemas.ts';
import { checkSessionId, kindOf } from '../session/ids.ts';
import { deepFreeze, isPlainObject } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseHead } from '../session/parse-head.ts';
import { type ParsedPatch, parseVariablesPatch } from '../session/parse-patch.ts';
import { parseTurn } from '../session/parse-turn.ts';
import type { AnySession, SessionPosition, SessionState, SessionTypes } from '../session/state.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { SessionTurn, TurnRange } from '../session/turn.ts';
import type { Committed, NewTurn, OperationKey, Refusal } from '../store/port.ts';
import type { SessionRow } from '../store/rows.ts';
import { commonLength } from '../timeline/common-length.ts';
import type { History } from '../timeline/history.ts';
import { originKey, type SpentTurn, Tail } from '../timeline/tail.ts';
import { OpenSides, type ReadSides } from './merge-sides.ts';
import {
  AppendMerge,
  type MergeResult,
  type MergeStrategy,
  type MergeTurn,
} from './merge-strategy.ts';
import {
  baseVariables,
  type MergeConflict,
  mergeVariables,
  type OnConflict,
  parseOnConflict,
} from './merge-variables.ts';
import { leaseError, Staging } from './staging.ts';

/** Options of a merge. */
export interface MergeOptions extends OperationOptions {
  /** What the merge brings; `AppendMerge` if it is left out. */
  readonly strategy?: MergeStrategy | undefined;
  /** Who wins where both sides changed a variable; the branch if it is left out. */
  readonly onConflict?: OnConflict | undefined;
  /** The parent's head that the caller saw: the merge loses to a parent that has moved on. */
  readonly expectedHead?: SessionPosition | undefined;
}

/** What a merge did. */
export interface Merged<T extends SessionTypes = AnySession> {
  /** The parent's state. */
  readonly state: SessionState<T>;
  /** How many turns it brought; 0 with the state as it was if it brought nothing at all. */
  readonly merged: number;
  /** The variables that both sides changed, in the branch's order, and what became of them. */
  readonly conflicts: readonly MergeConflict[];
}

/** How often the pointer is tried on a newer head before the merge gives up. */
const attempts = 3;

/** What a merge brings, as long as the parent only adds turns. */
interface Plan {
  readonly sides: ReadSides;
  readonly staging: Staging;
  /** The patch of a strategy that has its own. */
  readonly patch: ParsedPatch | null;
}

/** One merge on its way. */
class Merge {
  readonly #engine: Engine;
  readonly #parentId: string;
  readonly #branch: SessionRow;
  readonly #branchHistory: History;
  readonly #strategy: MergeStrategy;
  readonly #onConflict: OnConflict;
  #plan: Plan | null = null;

  constructor(
    engine: Engine,
    parentId: string,
    branch: SessionRow,
    branchHistory: History,
    { onConflict, strategy }: { readonly onConflict: OnConflict; readonly strategy: MergeStrategy },
  ) {
    this.#engine = engine;
    this.#parentId = parentId;
    this.#branch = branch;
    this.#branchHistory = branchHistory;
    this.#strategy = strategy;
    this.#onConflict = onConflict;
  }

  async run(
    expected: SessionPosition | undefined,
    operation: OperationKey | undefined,
  ): Promise<Committed> {
    try {
      for (let attempt = 1; ; attempt++) {
        const row = await writableSession(this.#engine, this.#parentId);
        checkExpected(row, expected);
        const result = await this.#attempt(row, expected, operation);
        if (result.refused === undefined) {
          this.#plan = null;
          return result;
        }
        const raced = result.refused === 'expected' && result.what !== 'record';
        if (!raced || attempt === attempts) throw swingError(this.#parentId, result, expected);
      }
    } finally {
      await this.#plan?.staging.discard();
    }
  }

  async #attempt(
    row: SessionRow,
    expected: SessionPosition | undefined,
    operation: OperationKey | undefined,
  ): Promise<Committed | Refusal> {
    const history = await openHistory(this.#engine, row);
    const sides = await this.#read(row, history);
    const plan = await this.#planFor(sides);
    const { staging } = plan;
    const { conflicts, patch } = await this.#variables(row, sides, plan);
    const note = JSON.stringify({ merged: staging.count, conflicts });
    const noted = operation === undefined ? {} : { operation: { ...operation, note } };
    const status = SessionStateMachine.allowed.write;
    if (staging.count === 0 && patch.set.size + patch.unset.length === 0) {
      if (operation === undefined) return { ...standing(row), note };
      const guards = { status, revision: row.revision };
      const same = await this.#engine.try(this.#parentId, { guards, ...noted });
      return withNote(same, note);
    }
    await checkVariables(this.#engine, patch);
    const { sessionId } = this.#branch;
    const { cost, head, tokens, variables } = this.#branch;
    const physical = await this.#branchHistory.point(head.seq);
    const point = { ...physical, tokens, cost, variables };
    const taken = { sessionId, point, turns: staging.count, standing: staging.standing };
    const { guards, pointer, records, ...swing } = await staging.swing(
      row,
      history.timeline,
      taken,
    );
    const result = await this.#engine.try(this.#parentId, {
      ...swing,
      ...(pointer === undefined ? {} : { pointer: { ...pointer, cap: capOf(this.#engine) } }),
      ...(patch.set.size + patch.unset.length === 0
        ? {}
        : { patch: { ...patch, ...variableLimits } }),
      guards: { ...guards, status, head: expected ?? row.head, revision: row.revision },
      records: [...(records ?? []), clearedRedo(row)],
      event: { type: 'move' },
      expiry: this.#engine.expiry,
      ...noted,
    });
    return withNote(result, note);
  }

  async #read(row: SessionRow, history: History): Promise<ReadSides> {
    const engine = this.#engine;
    const common = await commonLength(this.#branchHistory, history);
    const [parentTail, branchTail] = await Promise.all([
      Tail.open(history, common),
      Tail.open(this.#branchHistory, common),
    ]);
    const [base, parent, branch] = await Promise.all([
      baseVariables(engine, this.#branch, parentTail, branchTail),
      engine.variables(row),
      engine.variables(this.#branch),
    ]);
    const variables = { base, parent, branch } as ReadSides['variables'];
    return { parent: row, branch: this.#branch, parentTail, branchTail, variables };
  }

  /** The plan stays as it is if the parent has only added turns since; what another move did, a new plan minds. */
  async #planFor(sides: ReadSides): Promise<Plan> {
    const before = this.#plan;
    if (before !== null && before.sides.parent.head.timelineId === sides.parent.head.timelineId) {
      return before;
    }
    await before?.staging.discard();
    const { parent, parentTail } = sides;
    const staging = new Staging(this.#engine, parent, parentTail.history.timeline);
    const open = new OpenSides(sides);
    const decided = checkResult(await this.#strategy.merge(await open.toSides()));
    const { unset, variables } = decided;
    const own = variables !== undefined || unset !== undefined;
    const patch = own ? parseVariablesPatch(variables ?? {}, unset) : null;
    this.#plan = { sides, staging, patch };
    const brought = new Set<string>();
    for await (const turn of decided.turns) {
      const spent = isObject(turn) ? open.rowOf(turn) : undefined;
      if (spent === undefined) {
        const { stands, turn: given } = this.#toNewTurn(open, turn);
        await staging.add(given, stands);
      } else {
        const key = originKey(spent.row);
        if (brought.has(key)) {
          throw new SessionInputError('strategy', `brings the turn '${spent.row.turnId}' twice`);
        }
        brought.add(key);
        if (!(await open.isShown(spent))) await staging.add(toCopy(spent), false);
      }
      this.#checkRoom(parent.head.seq + staging.count);
    }
    return this.#plan;
  }

  /** Early, so that what cannot come into sight is not staged; the swing is judged by the store. */
  #checkRoom(seq: number): void {
    const { turns } = capOf(this.#engine);
    if (seq <= turns) return;
    const cap = { refused: 'cap', cap: 'turns', max: turns, actual: seq, session: null } as const;
    throw refusalError(this.#parentId, cap, 'active');
  }

  #toNewTurn(
    open: OpenSides,
    turn: MergeTurn,
  ): { readonly turn: NewTurn; readonly stands: boolean } {
    const path = 'strategy.turns[]';
    const given = checkOptions(turn, ['turn', 'standsFor'], path);
    if (isPlainObject(given.turn) && given.turn['turnId'] !== undefined) {
      throw new SessionInputError(`${path}.turn.turnId`, 'is given by the merge; leave it out');
    }
    const parsed = parseTurn(given.turn, `${path}.turn`);
    const { prices } = this.#engine;
    const draft = prices === undefined ? parsed : fillCost(prices, parsed);
    const { at, body, cost, tokens, turnId } = draft;
    const origins = toRanges(open, given.standsFor);
    const stands = origins.length > 0;
    const text = stands ? `${body.slice(0, -1)},"origins":${JSON.stringify(origins)}}` : body;
    return { turn: { turnId, chosen: false, body: text, tokens, cost, at }, stands };
  }

  async #variables(
    row: SessionRow,
    { variables }: ReadSides,
    plan: Plan,
  ): Promise<{ readonly patch: ParsedPatch; readonly conflicts: readonly MergeConflict[] }> {
    if (plan.patch !== null) return { patch: plan.patch, conflicts: [] };
    const { conflicts, set, unset } = await mergeVariables(row, variables, this.#onConflict);
    return { patch: parseVariablesPatch(set, unset), conflicts };
  }
}

/** A turn of the branch as a copy: under its id, with its time, and where it was first written. */
function toCopy({ cost, row, tokens }: SpentTurn): NewTurn {
  const { at, body, seq, timelineId, turnId } = row;
  const origin = row.origin ?? { timelineId, seq };
  return { turnId, chosen: false, body, tokens, cost, at, origin };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function checkResult(result: unknown): MergeResult {
  const { turns } = checkOptions(result, ['turns', 'variables', 'unset'], 'strategy');
  const many = turns as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  const isMany = isObject(many) && (Symbol.iterator in many || Symbol.asyncIterator in many);
  if (isMany) return result as MergeResult;
  throw new SessionInputError('strategy.turns', `expected an iterable, got ${kindOf(turns)}`);
}

/** Where turns were first written, runs of them as one. */
function toRanges(open: OpenSides, turns: unknown): readonly TurnRange[] {
  if (turns === undefined) return [];
  if (!Array.isArray(turns)) {
    throw new SessionInputError('strategy.standsFor', `expected an array, got ${kindOf(turns)}`);
  }
  const ranges: TurnRange[] = [];
  for (const turn of turns as readonly SessionTurn[]) {
    const row = isObject(turn) ? open.rowOf(turn)?.row : undefined;
    if (row === undefined) {
      throw new SessionInputError('strategy.standsFor', 'has a turn that is none of the branch');
    }
    const { seq, timelineId } = row.origin ?? row;
    const last = ranges.at(-1);
    if (last !== undefined && last.timelineId === timelineId && last.to + 1 === seq) {
      ranges[ranges.length - 1] = { ...last, to: seq };
    } else {
      ranges.push({ timelineId, from: seq, to: seq });
    }
  }
  return ranges;
}

function checkExpected(row: SessionRow, expected: SessionPosition | undefined): void {
  if (expected === undefined) return;
  const { seq, timelineId, turnId } = row.head;
  const same =
    expected.seq === seq && expected.turnId === turnId && expected.timelineId === timelineId;
  if (same) return;
  throw refusalError(row.sessionId, { refused: 'expected', what: 'head', session: row }, 'active');
}

function swingError(
  parentId: string,
  refusal: Refusal,
  expected: SessionPosition | undefined,
): Error {
  if (refusal.refused === 'expected' && refusal.what === 'record') return leaseError(parentId);
  if (refusal.refused !== 'expected' || expected !== undefined) {
    return refusalError(parentId, refusal, 'active');
  }
  return new SessionConflictError(
    'head',
    parentId,
    `others changed it during each of ${attempts} tries to merge; try again`,
    refusal.session,
  );
}

/**
 * Merges a branch into a parent: see `BranchManager.merge`. Both are sessions of one family and one owner; which of
 * them began as whose branch does not matter.
 */
export async function mergeBranch<T extends SessionTypes>(
  engine: Engine,
  parentId: string,
  branchId: string,
  options: MergeOptions | undefined,
): Promise<Merged<T>> {
  checkSessionId(parentId, 'parentId');
  checkSessionId(branchId, 'branchId');
  const given = checkOptions(options, ['strategy', 'onConflict', 'expectedHead', 'operationId']);
  const strategy = parseStrategy(given.strategy);
  const onConflict = parseOnConflict(given.onConflict);
  const expected = parseHead(given.expectedHead);
  if (parentId === branchId) {
    throw new SessionInputError('branchId', 'is the session into which to merge');
  }
  const wins = typeof onConflict === 'function' ? 'function' : onConflict;
  const operation = engine.operation(given, 'merge', branchId, keyOf(strategy), wins, expected);
  const made = (await engine.recall(parentId, operation)) ?? (await mergeNow().catch(orBefore));
  const { conflicts, merged } = JSON.parse(made.note ?? '{"merged":0,"conflicts":[]}') as {
    readonly merged: number;
    readonly conflicts: readonly MergeConflict[];
  };
  const state = await engine.stateAfter<T>(made);
  return Object.freeze({ state, merged, conflicts: deepFreeze(conflicts) });

  /** The same operation may have been done in between, and so left nothing to do. */
  async function orBefore(error: unknown): Promise<Committed> {
    const done = await engine.recall(parentId, operation);
    if (done !== null) return done;
    throw error;
  }

  async function mergeNow(): Promise<Committed> {
    const parent = await engine.session(parentId);
    const branch = await engine.store.session(branchId, parent.owner);
    if (branch === null) throw new SessionNotFoundError(branchId);
    const [parentHistory, branchHistory] = await Promise.all([
      openHistory(engine, parent),
      openHistory(engine, branch),
    ]);
    if (parentHistory.timeline.root !== branchHistory.timeline.root) {
      throw new SessionInputError('branchId', `has no point in common with session '${parentId}'`);
    }
    const merge = new Merge(engine, parentId, branch, branchHistory, { onConflict, strategy });
    return merge.run(expected, operation);
  }
}

function parseStrategy(value: unknown): MergeStrategy {
  if (value === undefined) return new AppendMerge();
  if (isObject(value) && typeof (value as Partial<MergeStrategy>).merge === 'function') {
    return value as MergeStrategy;
  }
  throw new SessionInputError('strategy', `expected a merge strategy, got ${kindOf(value)}`);
}

/** What tells one strategy from another in an operation: its class, and what it says of itself. */
function keyOf(strategy: MergeStrategy): string {
  const { name } = strategy.constructor;
  try {
    return `${name} ${JSON.stringify(strategy)}`;
  } catch {
    return name;
  }
}

/** The note of what was done here; the same operation, done by another call meanwhile, has its own. */
function withNote(result: Committed | Refusal, note: string): Committed | Refusal {
  return result.refused !== undefined || result.replayed ? result : { ...result, note };
}
