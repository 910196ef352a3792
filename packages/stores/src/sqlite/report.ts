import type { DatabaseSync } from 'node:sqlite';
import {
  dayOf,
  dayText,
  type ReportGroup,
  type ReportPage,
  type ReportQuery,
  type UsageSums,
  usageSums,
} from '@lexigram/ai-session/store';
import { rollBack } from './faults.ts';
import type { SqlRow, SqlValue } from './rows.ts';
import { sumColumns } from './usage.ts';

/** The columns that tell groups apart. */
const keys: Readonly<Record<ReportQuery['groupBy'], readonly string[]>> = {
  day: ['day'],
  model: ['model'],
  agent: ['agent'],
  user: ['user_id', 'tenant_id'],
  tool: ['tool'],
};

/** A float's sum is exact up to 2^53, as an integer's is, and never runs out of range. */
const sums = usageSums.map((name) => `total(${sumColumns[name]}) AS ${name}`).join(', ');

/** Reads a report out of rolled-up rows, as they are now, as one snapshot. */
export function readReport(db: DatabaseSync, query: ReportQuery): ReportPage {
  const { groups, total } = reportStatements(query);
  db.exec('BEGIN');
  try {
    const rows = db.prepare(groups.sql).all(...groups.values);
    const all = db.prepare(total.sql).get(...total.values);
    return { groups: rows.map((row) => toGroup(row, query.groupBy)), total: toSums(all ?? {}) };
  } finally {
    rollBack(db);
  }
}

export interface ReportStatement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** The statements of a report. Texts of SQL are fixed parts; every value of a caller is bound. */
export function reportStatements(query: ReportQuery): {
  readonly groups: ReportStatement;
  readonly total: ReportStatement;
} {
  const { after, from, groupBy, limit, tenantId, to, unpriced, userId } = query;
  const where = ['day >= ?', 'day < ?'];
  const values: SqlValue[] = [from ?? -1e9, to ?? 1e9];
  if (userId !== undefined) {
    where.push('user_id = ?');
    values.push(userId);
  }
  if (tenantId !== undefined) {
    where.push('tenant_id = ?');
    values.push(tenantId ?? '');
  }
  const total = { sql: `SELECT ${sums} FROM ai_usage WHERE ${where.join(' AND ')}`, values };
  const key = keys[groupBy].join(', ');
  const paged = [...where];
  const pagedValues = [...values];
  if (after !== undefined) {
    paged.push(groupBy === 'user' ? '(user_id, tenant_id) > (?, ?)' : `${key} > ?`);
    pagedValues.push(groupBy === 'day' ? dayOf(Date.parse(after.key ?? '')) : (after.key ?? ''));
    if (groupBy === 'user') pagedValues.push(after.tenantId ?? '');
  }
  const sql = `SELECT ${key}, ${sums} FROM ${groupBy === 'tool' ? 'ai_tool_usage' : 'ai_usage'}
    WHERE ${paged.join(' AND ')} GROUP BY ${key}${unpriced === true ? ' HAVING total(unpriced) > 0' : ''}
    ORDER BY ${key} LIMIT ?`;
  return { groups: { sql, values: [...pagedValues, limit] }, total };
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
  return Object.fromEntries(usageSums.map((name) => [name, row[name]])) as unknown as UsageSums;
}
