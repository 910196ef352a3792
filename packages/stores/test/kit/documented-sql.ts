import { readFileSync } from 'node:fs';

/** The statements of a section of the documentation; `heading` is that of a `##`. */
export function documentedSql(page: string, heading: string): string {
  const text = readFileSync(new URL(`../../../../docs/${page}`, import.meta.url), 'utf8');
  const section = text.split(/^## /m).find((it) => it.startsWith(`${heading}\n`)) ?? '';
  const sql = [...section.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block]) => block).join('');
  if (sql === '') throw new Error(`There is no SQL under '${heading}' of ${page}`);
  return sql;
}
