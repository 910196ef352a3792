import type { ReportGrouping } from '@lexigram/ai-session';
import type { ModelOwner, PlainModel } from './session.ts';
import { type ModelTurn, sumsOf, type TurnBody } from './turn.ts';

/** A group of a report, and the turns that are in it. */
interface Group {
  readonly key: string | null;
  readonly tenantId: string | null;
  readonly turns: ModelTurn[];
}

/** What a report must have: all turns that were ever written, each once, whatever became of its session. */
export function usageView(model: PlainModel, groupBy: ReportGrouping): object {
  const groups = new Map<string, Group>();
  const all: ModelTurn[] = [];
  for (const { owner, own } of model.sessions) {
    for (const { turn } of own) {
      all.push(turn);
      for (const key of keysOf(turn, owner, groupBy)) {
        const tenantId = groupBy === 'user' ? owner.tenantId : null;
        const id = JSON.stringify([key ?? '', tenantId ?? '']);
        const group = groups.get(id) ?? { key, tenantId, turns: [] };
        group.turns.push(turn);
        groups.set(id, group);
      }
    }
  }
  const ordered = [...groups.values()].sort((a, b) => bytes(a).compare(bytes(b)));
  const items = ordered.map(({ key, tenantId, turns }) => ({
    key,
    tenantId,
    ...totals(turns, groupBy === 'tool' ? key : undefined),
  }));
  return { items, total: totals(all) };
}

function bytes({ key, tenantId }: Group): Buffer {
  return Buffer.from(`${key ?? ''}\0${tenantId ?? ''}`);
}

function keysOf(
  { body, timestamp }: ModelTurn,
  { userId }: ModelOwner,
  groupBy: ReportGrouping,
): readonly (string | null)[] {
  switch (groupBy) {
    case 'day':
      return [timestamp.slice(0, 10)];
    case 'user':
      return [userId];
    case 'tool': {
      const names = (body.toolCalls ?? []).map(({ name }) => name);
      return names.length === 0 ? [null] : [...new Set(names)];
    }
    default:
      return [body[groupBy] ?? null];
  }
}

/** The sums of turns; of the calls only those of one tool, if one is named. */
function totals(turns: readonly ModelTurn[], tool?: string | null): object {
  const calls = turns.flatMap(({ body }) => body.toolCalls ?? []);
  const unpriced = turns.filter(({ body }) => sumsOf([{ body }]).tokens > 0 && !('cost' in body));
  const { cost, tokens } = sumsOf(turns);
  const count = (part: keyof NonNullable<TurnBody['usage']>): number =>
    turns.reduce((sum, { body }) => sum + (body.usage?.[part] ?? 0), 0);
  return {
    turns: turns.length,
    toolCalls: tool === undefined ? calls.length : calls.filter(({ name }) => name === tool).length,
    totalTokens: tokens,
    inputTokens: count('inputTokens'),
    outputTokens: count('outputTokens'),
    cacheReadTokens: count('cacheReadTokens'),
    cacheWriteTokens: count('cacheWriteTokens'),
    reasoningTokens: count('reasoningTokens'),
    cost: cost === 0 && unpriced.length > 0 ? null : cost,
    unpricedTurns: unpriced.length,
  };
}
