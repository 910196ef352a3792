import type { ListQuery } from './port.ts';

type ListKey = Required<ListQuery>['after'];

/** Newest created first; of those of one millisecond, by descending id. */
export function listOrder(a: ListKey, b: ListKey): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.sessionId < b.sessionId ? 1 : -1;
}

/** Whether a session comes after the last one of the page before. */
export function isListedAfter(row: ListKey, last: ListKey): boolean {
  return listOrder(row, last) > 0 && row.sessionId !== last.sessionId;
}

/** Whether metadata, as JSON, has exactly these values at these top-level keys. */
export function hasMetadata(metadata: string, asked: Required<ListQuery>['metadata']): boolean {
  if (asked.size === 0) return true;
  const values = JSON.parse(metadata) as Record<string, unknown>;
  return [...asked].every(([key, value]) => Object.hasOwn(values, key) && values[key] === value);
}
