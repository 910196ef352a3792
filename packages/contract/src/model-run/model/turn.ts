import type { TurnInput } from '@lexigram/ai-session';
import { Verbatim } from '../compare.ts';
import type { Id } from '../names.ts';

/** What a caller says in a turn, without its id and its time. */
export type TurnBody = Omit<TurnInput, 'turnId' | 'timestamp'>;

/** A turn as the model keeps it. The same object stands wherever the same physical turn is shown. */
export interface ModelTurn {
  readonly id: Id;
  readonly body: TurnBody;
  readonly timestamp: string;
  /** The timeline that holds it, its place there, and the session whose it is. */
  readonly timeline: Id;
  readonly seq: number;
  readonly holder: string;
  /** Of a merged copy: the turn as it was first written. */
  readonly first?: ModelTurn;
}

/** A turn as it was first written: the same for it and for all its copies. */
export function firstOf(turn: ModelTurn): ModelTurn {
  return turn.first ?? turn;
}

/** A turn that is to be added; the id is null if the store is to make one. */
export interface GivenTurn {
  readonly id: Id | null;
  readonly body: TurnBody;
  readonly timestamp?: string | undefined;
}

function tokensOf({ usage }: TurnBody): number {
  if (usage === undefined) return 0;
  return usage.totalTokens ?? (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
}

/** Whole nano-dollars. */
function nanoOf({ cost }: TurnBody): number {
  return Math.round((cost ?? 0) * 1e9);
}

/** Sums over turns; the cost in USD. */
export function sumsOf(turns: readonly { readonly body: TurnBody }[]): {
  readonly tokens: number;
  readonly cost: number;
} {
  const tokens = turns.reduce((sum, turn) => sum + tokensOf(turn.body), 0);
  const nano = turns.reduce((sum, turn) => sum + nanoOf(turn.body), 0);
  return { tokens, cost: nano / 1e9 };
}

/** Whether two callers say the same; the order of keys does not count. */
export function sameBody(a: TurnBody, b: TurnBody): boolean {
  return sortedJson(a) === sortedJson(b);
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** A turn as a caller must read it at a place of a history. */
export function turnView(turn: ModelTurn, seq: number): object {
  const { content, cost, metadata, toolCalls, usage, ...plain } = turn.body;
  return {
    turnId: turn.id,
    seq,
    timestamp: turn.timestamp,
    origin: turn.first && { timelineId: turn.first.timeline, seq: turn.first.seq },
    ...plain,
    content: typeof content === 'string' ? content : content.map(partView),
    usage: usage === undefined ? undefined : { ...usage, totalTokens: tokensOf(turn.body) },
    cost: cost === undefined ? undefined : nanoOf(turn.body) / 1e9,
    metadata: metadata === undefined ? undefined : new Verbatim(metadata),
    toolCalls: toolCalls?.map((call) => ({ ...call, arguments: new Verbatim(call.arguments) })),
  };
}

function partView(part: Exclude<TurnBody['content'], string>[number]): object {
  return {
    ...part,
    ...(part.type === 'data' ? { json: new Verbatim(part.json) } : {}),
    ...(part.extra === undefined ? {} : { extra: new Verbatim(part.extra) }),
  };
}
