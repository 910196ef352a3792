import { isVisible } from '../session/is-visible.ts';
import { messageTokens } from './count-tokens.ts';
import type { TurnDigest } from './digest-turn.ts';

/** Why a turn is not shown. */
export type OmitReason =
  /** It is not visible to the viewer. */
  | 'hidden'
  /** There is nothing in it. */
  | 'empty'
  /** It was broken off before there was anything in it. */
  | 'aborted'
  /** It answers a call that is not there, or that was answered before. */
  | 'orphan'
  /** A summary stands for it. */
  | 'summarised'
  /** Others fit the budget better. */
  | 'budget';

/** Turns that are shown together or not at all: one turn, or calls of tools with their results. */
export interface TurnGroup {
  /** In the order in which they are shown: results follow in the order of their calls. */
  readonly digests: readonly TurnDigest[];
  /** For each call the result; null is a call without one, undefined one that is not shown. */
  readonly results: readonly (TurnDigest | null | undefined)[];
  readonly tokens: number;
  /** The seq of the first turn: groups stand in its order. */
  readonly seq: number;
}

/** A history as groups in order, and the turns that cannot be shown. */
export interface GroupedTurns {
  readonly groups: readonly TurnGroup[];
  readonly omitted: ReadonlyMap<number, OmitReason>;
}

interface OpenGroup {
  readonly call: TurnDigest;
  readonly results: (TurnDigest | null)[];
}

/**
 * Puts each result to its call: the nearest turn before it that made a call with this id which is still without
 * a result, for ids come again. `keepOrphan` says which results without a call are shown nevertheless.
 */
export function groupTurns(
  digests: readonly TurnDigest[],
  viewer: string | undefined,
  keepOrphan: (digest: TurnDigest) => boolean,
): GroupedTurns {
  const omitted = new Map<number, OmitReason>();
  const open = new Map<string, { group: OpenGroup; at: number }[]>();
  const entries: (TurnDigest | OpenGroup)[] = [];
  for (const digest of digests) {
    if (!isVisible(digest, viewer)) omitted.set(digest.seq, 'hidden');
    else if (digest.answers !== null) {
      if (answer(open, digest)) continue;
      if (digest.speaks && keepOrphan(digest)) entries.push(digest);
      else omitted.set(digest.seq, 'orphan');
    } else if (digest.calls.length > 0) entries.push(openGroup(open, digest));
    else if (digest.speaks) entries.push(digest);
    else omitted.set(digest.seq, digest.aborted ? 'aborted' : 'empty');
  }
  const groups: TurnGroup[] = [];
  for (const entry of entries) {
    if ('call' in entry) {
      const group = closeGroup(entry);
      if (group === null) omitted.set(entry.call.seq, 'aborted');
      else groups.push(group);
    } else {
      const { answers, seq, tokens } = entry;
      const said = answers === null ? 0 : orphanTokens;
      groups.push({ digests: [entry], results: [], tokens: tokens + said, seq });
    }
  }
  return { groups, omitted };
}

function openGroup(
  open: Map<string, { group: OpenGroup; at: number }[]>,
  call: TurnDigest,
): OpenGroup {
  const group: OpenGroup = { call, results: call.calls.map(() => null) };
  for (const [at, id] of call.calls.entries()) {
    const waiting = open.get(id);
    if (waiting === undefined) open.set(id, [{ group, at }]);
    else waiting.push({ group, at });
  }
  return group;
}

function answer(
  open: Map<string, { group: OpenGroup; at: number }[]>,
  result: TurnDigest,
): boolean {
  const waiting = open.get(result.answers ?? '');
  const nearest = waiting?.at(-1);
  if (waiting === undefined || nearest === undefined) return false;
  // Of one turn's calls with the same id the first is answered first.
  const first = waiting.findIndex(({ group }) => group === nearest.group);
  const [{ group, at }] = waiting.splice(first, 1) as [{ group: OpenGroup; at: number }];
  group.results[at] = result;
  return true;
}

/** A call in a broken off turn that nobody answered may itself be broken off: it is left out. */
function closeGroup({ call, results }: OpenGroup): TurnGroup | null {
  const shown = results.map((result) => (result === null && call.aborted ? undefined : result));
  if (!call.speaks && shown.every((result) => result === undefined)) return null;
  const answers = shown.filter((result) => result !== undefined && result !== null);
  const missing = shown.filter((result) => result === null).length;
  let tokens = call.tokens + missing * noResultTokens;
  for (const result of answers) tokens += result.tokens;
  return { digests: [call, ...answers], results: shown, tokens, seq: call.seq };
}

/** What closing a call costs, and saying that a text is a tool's: a token for two characters, more than in any vocabulary. */
const noResultTokens = messageTokens + 20;
const orphanTokens = 9;
