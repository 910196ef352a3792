import {
  noUsage,
  type ReportPage,
  type ReportQuery,
  reportOf,
  type UsageRow,
  type UsageSums,
  usageSums,
} from '@lexigram/ai-session/store';
import type { RunRedis } from './client.ts';
import type { Keys } from './keys.ts';

/** Reports, out of the rows that turns were added up in: one hash for each day. */
export async function readReport(
  run: RunRedis,
  keys: Keys,
  query: ReportQuery,
  until: number,
): Promise<ReportPage> {
  const { from = '-inf', to } = query;
  const range = [from, to === undefined ? '+inf' : `(${to}`];
  const days = (await run(['ZRANGEBYSCORE', keys.usage, ...range], until)) as string[];
  const rows = { model: [] as UsageRow[], tool: [] as UsageRow[] };
  for (const day of days) {
    const fields = (await run(['HGETALL', `${keys.usage}${day}`], until)) as
      | string[]
      | Record<string, string>;
    for (const row of rowsOf(Number(day), pairs(fields))) {
      rows[row.tool !== null || row.by === 'tool' ? 'tool' : 'model'].push(row);
    }
  }
  return reportOf({ rows: (by) => rows[by] }, query);
}

function pairs(fields: string[] | Record<string, string>): readonly (readonly [string, string])[] {
  if (!Array.isArray(fields)) return Object.entries(fields);
  return Array.from({ length: fields.length / 2 }, (_, i) => [
    fields[i * 2] as string,
    fields[i * 2 + 1] as string,
  ]);
}

type Named = UsageRow & { readonly by: 'model' | 'tool' };

function rowsOf(day: number, fields: readonly (readonly [string, string])[]): readonly Named[] {
  const found = new Map<string, { -readonly [K in keyof UsageSums]: number }>();
  for (const [field, value] of fields) {
    const at = field.lastIndexOf('#');
    const id = field.slice(0, at);
    const sums = found.get(id) ?? { ...noUsage };
    const name = usageSums[Number(field.slice(at + 1))];
    if (name !== undefined) sums[name] = Number(value);
    found.set(id, sums);
  }
  return [...found].map(([id, sums]) => {
    const [by, tenantId, userId, one, two] = JSON.parse(id) as [
      'model' | 'tool',
      string | null,
      string,
      string | null,
      string | null | undefined,
    ];
    const owner = { tenantId, userId };
    return by === 'model'
      ? { by, day, owner, model: one, agent: two ?? null, tool: null, sums }
      : { by, day, owner, model: null, agent: null, tool: one, sums };
  });
}
