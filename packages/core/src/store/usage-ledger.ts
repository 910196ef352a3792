import type { Owner, UsageSums } from './rows.ts';
import { addUsage, dayOf, noUsage, usageOfTurn } from './usage.ts';

/** Sums of the turns of one day, owner, model and agent; or of one day, owner and tool. */
export interface UsageRow {
  readonly day: number;
  readonly owner: Owner;
  /** Null for turns that name none. A row by tools has neither. */
  readonly model: string | null;
  readonly agent: string | null;
  /** Null for turns that call none. Only rows by tools have it. */
  readonly tool: string | null;
  readonly sums: UsageSums;
}

type OpenRow = UsageRow & { readonly sums: { -readonly [K in keyof UsageSums]: number } };

/**
 * Rolls turns up into few rows without content. A turn counts in one row by model and agent, and in one row for
 * each tool that it calls, or in that of no tool; there `calls` are the tool's, all else is the turn's.
 */
export class UsageLedger {
  readonly #byModel = new Map<string, OpenRow>();
  readonly #byTool = new Map<string, OpenRow>();

  /** Copies that a merge brought are not to be added: they count where they were first written. */
  add(owner: Owner, turn: { readonly at: number; readonly body: string }): void {
    const day = dayOf(turn.at);
    const { agent, model, sums, tools } = usageOfTurn(turn.body);
    addUsage(row(this.#byModel, { day, owner, model, agent, tool: null }), sums);
    const called = tools.size === 0 ? [[null, 0] as const] : tools;
    for (const [tool, calls] of called) {
      const key = { day, owner, model: null, agent: null, tool };
      addUsage(row(this.#byTool, key), { ...sums, calls });
    }
  }

  rows(by: 'model' | 'tool'): IterableIterator<UsageRow> {
    return (by === 'model' ? this.#byModel : this.#byTool).values();
  }
}

function row(rows: Map<string, OpenRow>, key: Omit<UsageRow, 'sums'>): OpenRow['sums'] {
  const { agent, day, model, owner, tool } = key;
  const id = JSON.stringify([day, owner.tenantId, owner.userId, model, agent, tool]);
  let found = rows.get(id);
  if (found === undefined) {
    found = { ...key, sums: { ...noUsage } };
    rows.set(id, found);
  }
  return found.sums;
}
