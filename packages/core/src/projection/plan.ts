import { SessionLimitError } from '../errors.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { TurnDigest } from './digest-turn.ts';
import { groupTurns, type OmitReason, type TurnGroup } from './group-turns.ts';
import type { Room } from './keep-best.ts';
import { mergedTurn } from './merged-turn.ts';
import type { ContextPruner } from './pruner.ts';
import type { Shown } from './render.ts';
import { ScoringContextPruner } from './scoring-pruner.ts';

/** Turns that stand next to each other and are left out for the same reason. */
export interface Omitted {
  /** Seqs, both included. */
  readonly from: number;
  readonly to: number;
  readonly reason: OmitReason;
}

/** Where the tokens went. */
export interface ProjectionParts {
  readonly system: number;
  readonly summary: number;
  readonly pinned: number;
  readonly history: number;
  /** Kept free for the answer. */
  readonly reserve: number;
}

/** Everything that a choice of turns depends on. */
export interface PlanInput {
  /** In order of seq. */
  readonly digests: readonly TurnDigest[];
  /** Whether seqs that are not among the digests were not even looked at, for they do not fit. */
  readonly gaps: boolean;
  readonly viewer: string | undefined;
  readonly pinned: ReadonlySet<string>;
  readonly summary: { readonly text: string; readonly tokens: number; readonly to: number } | null;
  readonly query: string;
  /** The seq from which on the conversation waits for an answer; null if the query is from outside. */
  readonly openFrom: number | null;
  readonly maxTokens: number;
  readonly maxTurns: number;
  readonly reserve: number;
  /** What it costs to open a conversation that does not begin with the user. */
  readonly openingTokens: number;
  readonly pruner: ContextPruner;
  /** A turn's text, for pruners that read it. */
  readonly turnAt: (seq: number) => SessionTurn;
}

export interface Plan {
  readonly shown: Shown;
  readonly omitted: readonly Omitted[];
  readonly tokens: number;
  readonly parts: ProjectionParts;
}

/** Of a conversation that waits for an answer, this share of what is left goes to the newest turns. */
const recentShare = 0.25;

/**
 * Chooses what is shown. The system prompt, the summary and pinned turns stay; a conversation that waits for an
 * answer keeps its last question and what came of it, as far as there is room; the pruner chooses the rest.
 *
 * @throws SessionLimitError if what has to stay is too much
 */
export function plan(input: PlanInput): Plan | Promise<Plan> {
  const sorted = sortGroups(input);
  const first = choose(input, sorted, 0);
  const check = (made: Plan): Plan | Promise<Plan> =>
    // Only now it is known that the conversation needs an opening, which takes room too.
    made.tokens + input.reserve > input.maxTokens
      ? choose(input, sorted, input.openingTokens)
      : made;
  return first instanceof Promise ? first.then(check) : check(first);
}

function choose(input: PlanInput, sorted: SortedGroups, opening: number): Plan | Promise<Plan> {
  const { rest } = sorted;
  const room = roomBeside(input, sorted, opening);
  const chosen = new Set<TurnGroup>();
  const left = keepOpen(input, rest, room, chosen);
  const candidates = rest.filter((group) => !chosen.has(group));
  const picked = pick(input, candidates, left);
  const finish = (kept: readonly TurnGroup[]): Plan => {
    for (const group of kept) chosen.add(group);
    return result(input, sorted, chosen);
  };
  return picked instanceof Promise ? picked.then(finish) : finish(picked);
}

interface SortedGroups {
  readonly system: readonly TurnGroup[];
  readonly pinned: readonly TurnGroup[];
  readonly rest: readonly TurnGroup[];
  readonly reasons: ReadonlyMap<number, OmitReason>;
}

function sortGroups(input: PlanInput): SortedGroups {
  const { digests, pinned, summary, viewer } = input;
  const isPinned = (digest: TurnDigest): boolean => pinned.has(digest.turnId);
  const { groups, omitted } = groupTurns(digests, viewer, isPinned);
  const sorted = { system: [] as TurnGroup[], pinned: [] as TurnGroup[], rest: [] as TurnGroup[] };
  const reasons = new Map(omitted);
  const prompt = promptEnd(input);
  for (const group of groups) {
    if (group.seq <= prompt) sorted.system.push(group);
    else if (group.digests.some(isPinned)) sorted.pinned.push(group);
    else if (summary !== null && group.seq <= summary.to) {
      for (const { seq } of group.digests) reasons.set(seq, 'summarised');
    } else sorted.rest.push(group);
  }
  return { ...sorted, reasons };
}

/** The seq of the last of the system turns that the history opens with; 0 if there are none. */
function promptEnd({ digests, gaps }: PlanInput): number {
  const other = digests.findIndex(
    ({ role, seq }, i) => role !== 'system' || (gaps && seq !== i + 1),
  );
  return digests[(other === -1 ? digests.length : other) - 1]?.seq ?? 0;
}

function isAnswer({ digests }: TurnGroup): boolean {
  return digests[0]?.role === 'assistant';
}

function roomBeside(input: PlanInput, { pinned, system }: SortedGroups, opening: number): Room {
  const fixed = [...system, ...pinned];
  const tokens = sumTokens(fixed) + (input.summary?.tokens ?? 0) + input.reserve + opening;
  const turns = sumTurns(fixed);
  if (tokens > input.maxTokens) {
    throw new SessionLimitError(
      'what always stays (system prompt, summary, pinned turns, reserve)',
      'maxTokens',
      Math.ceil(tokens),
      input.maxTokens,
      'tokens',
    );
  }
  if (turns > input.maxTurns) {
    const what = 'what always stays (system prompt, pinned turns)';
    throw new SessionLimitError(what, 'maxTurns', turns, input.maxTurns, 'turns');
  }
  return { tokens: input.maxTokens - tokens, turns: input.maxTurns - turns };
}

function sumTokens(groups: readonly TurnGroup[]): number {
  return groups.reduce((sum, { tokens }) => sum + tokens, 0);
}

function sumTurns(groups: readonly TurnGroup[]): number {
  return groups.reduce((sum, { digests }) => sum + digests.length, 0);
}

/** Keeps what the answer is to, and the newest of what came before it. */
function keepOpen(
  { openFrom }: PlanInput,
  rest: readonly TurnGroup[],
  room: Room,
  chosen: Set<TurnGroup>,
): Room {
  if (openFrom === null) return room;
  const at = rest.findIndex(({ seq }) => seq >= openFrom);
  const split = at === -1 ? rest.length : at;
  let left = room;
  const take = (group: TurnGroup | undefined): boolean => {
    if (group === undefined) return false;
    const tokens = left.tokens - group.tokens;
    const turns = left.turns - group.digests.length;
    if (tokens < 0 || turns < 0) return false;
    left = { tokens, turns };
    chosen.add(group);
    return true;
  };
  if (!take(rest[split])) return left;
  // What does not fit of the open exchange must not make room for what is older.
  for (let i = rest.length - 1; i > split; i--) if (!take(rest[i])) return left;
  const floor = left.tokens * (1 - recentShare);
  const floorTurns = left.turns * (1 - recentShare);
  for (let i = split - 1; i >= 0; i--) {
    const group = rest[i];
    if (group === undefined || left.tokens - group.tokens < floor) break;
    if (left.turns - group.digests.length < floorTurns || !take(group)) break;
  }
  return left;
}

function pick(
  { maxTokens, maxTurns, pruner, query, turnAt }: PlanInput,
  candidates: readonly TurnGroup[],
  room: Room,
): readonly TurnGroup[] | Promise<readonly TurnGroup[]> {
  if (sumTokens(candidates) <= room.tokens && sumTurns(candidates) <= room.turns) return candidates;
  if (pruner instanceof ScoringContextPruner) {
    const weights = candidates.map(({ digests, tokens }) => ({ tokens, turns: digests.length }));
    const digests = candidates.map((group) => group.digests);
    const kept = pruner.choose({ weights, digests }, query, room);
    return candidates.filter((_, i) => kept.has(i));
  }
  const merged = new Map<SessionTurn, TurnGroup>();
  for (const group of candidates) {
    merged.set(mergedTurn(group.digests.map(({ seq }) => turnAt(seq))), group);
  }
  const history = [...merged.keys()];
  const kept = pruner.prune(history, query, {
    ...(maxTokens === Number.POSITIVE_INFINITY ? {} : { maxTokens: Math.floor(room.tokens) }),
    ...(maxTurns === Number.POSITIVE_INFINITY ? {} : { maxTurns: room.turns }),
    weigh: (turn) => {
      const group = merged.get(turn);
      return { tokens: group?.tokens ?? 0, turns: group?.digests.length ?? 0 };
    },
  });
  const within = (turns: readonly SessionTurn[]): readonly TurnGroup[] => {
    const kept = new Set(turns);
    return newestThatFit(
      history.filter((turn) => kept.has(turn)).map((turn) => merged.get(turn) as TurnGroup),
      room,
    );
  };
  return kept instanceof Promise ? kept.then(within) : within(kept);
}

/** All of them, but for the oldest ones if a pruner kept more than it may. */
function newestThatFit(groups: readonly TurnGroup[], room: Room): readonly TurnGroup[] {
  let { tokens, turns } = room;
  let from = groups.length;
  for (; from > 0; from--) {
    const group = groups[from - 1] as TurnGroup;
    tokens -= group.tokens;
    turns -= group.digests.length;
    if (tokens < 0 || turns < 0) break;
  }
  return groups.slice(from);
}

function result(input: PlanInput, sorted: SortedGroups, chosen: ReadonlySet<TurnGroup>): Plan {
  const { openingTokens, summary, viewer } = input;
  const { pinned, system } = sorted;
  const reasons = new Map(sorted.reasons);
  const rest = sorted.rest.filter((group) => chosen.has(group));
  for (const group of sorted.rest) {
    if (!chosen.has(group)) for (const { seq } of group.digests) reasons.set(seq, 'budget');
  }
  const groups = [...pinned, ...rest].sort((a, b) => a.seq - b.seq);
  const first = groups[0];
  const opening = summary === null && first !== undefined && isAnswer(first) ? openingTokens : 0;
  const parts: ProjectionParts = {
    system: sumTokens(system),
    summary: summary?.tokens ?? 0,
    pinned: sumTokens(pinned),
    history: sumTokens(rest) + opening,
    reserve: input.reserve,
  };
  const tokens = parts.system + parts.summary + parts.pinned + parts.history;
  const shown = { system, summary: summary?.text ?? null, groups, viewer };
  return { shown, omitted: ranges(input, reasons), tokens, parts };
}

function ranges(
  { digests, gaps, summary }: PlanInput,
  reasons: ReadonlyMap<number, OmitReason>,
): readonly Omitted[] {
  const omitted: { from: number; to: number; reason: OmitReason }[] = [];
  const add = (from: number, to: number, reason: OmitReason): void => {
    const last = omitted.at(-1);
    if (last !== undefined && last.reason === reason && last.to + 1 === from) last.to = to;
    else omitted.push({ from, to, reason });
  };
  let next = digests[0]?.seq ?? 1;
  for (const { seq } of digests) {
    if (gaps && seq > next) {
      const summarised = Math.min(seq - 1, summary?.to ?? 0);
      if (summarised >= next) add(next, summarised, 'summarised');
      if (summarised < seq - 1) add(Math.max(next, summarised + 1), seq - 1, 'budget');
    }
    const reason = reasons.get(seq);
    if (reason !== undefined) add(seq, seq, reason);
    next = seq + 1;
  }
  return Object.freeze(omitted.map((range) => Object.freeze(range)));
}
