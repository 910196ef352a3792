import { Buffer } from 'node:buffer';
import type { ReportQuery } from './port.ts';
import type { ReportGroup, ReportPage, UsageSums } from './rows.ts';
import { addUsage, dayText, noUsage } from './usage.ts';
import type { UsageRow } from './usage-ledger.ts';

/** Rolled-up rows, of each kind in any order; one row may be told in several. */
interface RolledUp {
  rows(by: 'model' | 'tool'): Iterable<UsageRow>;
}

/** `SessionStore.report` out of rolled-up rows in memory. */
export function reportOf(ledger: RolledUp, query: ReportQuery): ReportPage {
  const { after, groupBy, limit } = query;
  const total = { ...noUsage };
  for (const { sums } of asked(ledger, 'model', query)) addUsage(total, sums);
  const groups = new Map<string, ReportGroup & { readonly sums: UsageSums }>();
  for (const row of asked(ledger, groupBy === 'tool' ? 'tool' : 'model', query)) {
    const group = groupOf(row, groupBy);
    const id = JSON.stringify(group);
    const sums = groups.get(id)?.sums ?? { ...noUsage };
    addUsage(sums, row.sums);
    groups.set(id, { ...group, sums });
  }
  const ordered = [...groups.values()]
    .filter(({ sums }) => query.unpriced !== true || sums.unpriced > 0)
    .sort(order)
    .filter((group) => after === undefined || order(group, after) > 0);
  return { groups: ordered.slice(0, limit), total };
}

function* asked(
  ledger: RolledUp,
  by: 'model' | 'tool',
  { from, tenantId, to, userId }: ReportQuery,
): Generator<UsageRow> {
  for (const row of ledger.rows(by)) {
    if (from !== undefined && row.day < from) continue;
    if (to !== undefined && row.day >= to) continue;
    if (userId !== undefined && row.owner.userId !== userId) continue;
    if (tenantId !== undefined && row.owner.tenantId !== tenantId) continue;
    yield row;
  }
}

type Key = Pick<ReportGroup, 'key' | 'tenantId'>;

function groupOf(row: UsageRow, groupBy: ReportQuery['groupBy']): Key {
  switch (groupBy) {
    case 'day':
      return { key: dayText(row.day), tenantId: null };
    case 'user':
      return { key: row.owner.userId, tenantId: row.owner.tenantId };
    default:
      return { key: row[groupBy], tenantId: null };
  }
}

/** By the bytes of the key, then of the tenant; none comes first. */
function order(a: Key, b: Key): number {
  return compare(a.key, b.key) || compare(a.tenantId, b.tenantId);
}

function compare(a: string | null, b: string | null): number {
  return Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? ''));
}
