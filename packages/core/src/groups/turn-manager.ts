import { SessionInputError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { GroupMember, ManagerState } from './agent.ts';
import type { GroupView } from './group-view.ts';

/** Why a turn manager chose by rule: the choice named nobody, nobody known, the last speaker again, or failed. */
export type FallbackReason = 'nobody' | 'unknown' | 'repeated' | 'failed';

/** Whom a turn manager chose; `agent: null` ends the run as complete. */
export interface Selection {
  readonly agent: string | null;
  /** Kept in the session until the next choice, where it is `view.managerState`. */
  readonly state?: ManagerState;
  /** The round of this step, from 1; counted by the group if left out. */
  readonly round?: number;
  /** Set if the choice was made by rule. */
  readonly fallback?: FallbackReason | undefined;
}

/**
 * Chooses who speaks next. It keeps nothing in fields of its own: what it has to remember is the `state` of its
 * selection. So groups may share one, and another process goes on where this one stopped.
 */
export interface TurnManager {
  /** A name, a selection, or null for nobody. The same view must give the same answer, unless a model is asked. */
  selectNext(view: GroupView): Selection | string | null | Promise<Selection | string | null>;
  /** Called before a run. @throws SessionInputError if it names agents that the group does not have */
  check?(agents: readonly GroupMember[]): void;
}

/** Rounds of a turn manager that was not told how many. */
const defaultRounds = 10;

/** The options of a turn manager, read once; `maxRounds` is checked. */
export function managerOptions(
  options: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> & { readonly maxRounds: number } {
  const given = checkOptions(options, [...known, 'maxRounds']);
  const maxRounds = parseCount(given.maxRounds, 'options.maxRounds') ?? defaultRounds;
  if (maxRounds < 1) throw new SessionInputError('options.maxRounds', 'must be 1 at least');
  return { ...given, maxRounds };
}

/** The round of the next step where each round has as many steps as there are agents. */
export function roundBySteps(view: GroupView): number {
  return Math.floor(view.selections / Math.max(1, view.agents.length)) + 1;
}

/** @throws SessionInputError if the group has no agent of this name */
export function checkMember(agents: readonly GroupMember[], name: string, path: string): void {
  if (agents.some((agent) => agent.name === name)) return;
  throw new SessionInputError(
    path,
    `the group has no agent ${kindOf(name)}; there are ${agents.map((one) => one.name).join(', ')}`,
  );
}

/** The agent after the one that spoke last, in the order in which they were added. */
export function nextInOrder(view: GroupView, after: string | undefined): string | undefined {
  const at = view.agents.findIndex(({ name }) => name === after);
  return view.agents[(at + 1) % Math.max(1, view.agents.length)]?.name;
}

/** What a caller gave by agents' names or keywords: a Map or an object, as entries in its order. */
export function entriesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (value instanceof Map) return [...(value as Map<string, unknown>)];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value);
  }
  throw new SessionInputError(path, `expected an object or a Map, got ${kindOf(value)}`);
}
