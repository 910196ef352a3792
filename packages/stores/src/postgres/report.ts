import {
  dayOf,
  dayText,
  type ReportGroup,
  type ReportPage,
  type ReportQuery,
  type UsageSums,
  usageSums,
} from '@lexigram/ai-session/store';
import type { RunSql, SqlRow } from './client.ts';
import { sumColumns } from './usage.ts';

/** The columns that tell groups apart. */
const keys: Readonly<Record<ReportQuery['groupBy'], readonly string[]>> = {
  day: ['day'],
  model: ['model'],
  agent: ['agent'],
  user: ['user_id', 'tenant_id'],
  tool: ['tool'],
};

/** Exact up to 2^53; past it the nearest number. */
const sums = usageSums
  .map((name) => `coalesce(sum(${sumColumns[name]}), 0)::text AS "${name}"`)
  .join(', ');

/** Reads a report out of rolled-up rows. */
export async function readReport(
  run: RunSql,
  schema: string,
  query: ReportQuery,
): Promise<ReportPage> {
  const { after, from, groupBy, limit, tenantId, to, unpriced, userId } = query;
  const values: unknown[] = [];
  const bind = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const where = [`day >= ${bind(from ?? -1e9, 'integer')}`, `day < ${bind(to ?? 1e9, 'integer')}`];
  if (userId !== undefined) where.push(`user_id = ${bind(userId, 'text')}`);
  if (tenantId !== undefined) where.push(`tenant_id = ${bind(tenantId ?? '', 'text')}`);
  const all = await run(
    `SELECT ${sums} FROM "${schema}".ai_usage WHERE ${where.join(' AND ')}`,
    ...values,
  );
  const key = keys[groupBy].join(', ');
  if (after !== undefined) {
    if (groupBy === 'day')
      where.push(`day > ${bind(dayOf(Date.parse(after.key ?? '')), 'integer')}`);
    else if (groupBy === 'user') {
      where.push(
        `(user_id, tenant_id) > (${bind(after.key ?? '', 'text')}, ${bind(after.tenantId ?? '', 'text')})`,
      );
    } else where.push(`${key} > ${bind(after.key ?? '', 'text')}`);
  }
  const groups = await run(
    `SELECT ${key}, ${sums} FROM "${schema}".${groupBy === 'tool' ? 'ai_tool_usage' : 'ai_usage'}
     WHERE ${where.join(' AND ')} GROUP BY ${key}${unpriced === true ? ' HAVING sum(unpriced) > 0' : ''}
     ORDER BY ${key} LIMIT ${bind(limit, 'bigint')}`,
    ...values,
  );
  return {
    groups: groups.map((row) => toGroup(row, groupBy)),
    total: toSums(all[0] ?? {}),
  };
}

function toGroup(row: SqlRow, groupBy: ReportQuery['groupBy']): ReportGroup {
  const value = row[keys[groupBy][0] as string];
  return {
    key: groupBy === 'day' ? dayText(value as number) : orNull(value),
    tenantId: groupBy === 'user' ? orNull(row.tenant_id) : null,
    sums: toSums(row),
  };
}

function orNull(value: unknown): string | null {
  return value === '' ? null : (value as string);
}

function toSums(row: SqlRow): UsageSums {
  const read = usageSums.map((name) => [name, Number(row[name])] as const);
  return Object.fromEntries(read) as unknown as UsageSums;
}
