import type { SessionEvent, SubscriptionResetEvent } from '@lexigram/ai-session';
import type { FeedItem } from '@lexigram/ai-session/store';

/** An event as a subscriber noted it. */
export interface Noted {
  readonly cursor: string;
  readonly sessionId: string;
  readonly revision: number;
  /** What it was: of a turn its id. */
  readonly key: string;
}

/** With this each session ends. */
export const lastWord = 'the-last-word';

export function keyOf(event: SessionEvent | SubscriptionResetEvent): string {
  if (event.type === 'turn') return `turn ${event.turn.turnId}`;
  return event.type === 'checkpoint' ? `checkpoint ${event.checkpointId}` : event.type;
}

/** The key of the event that tells of an item. */
export function keyOfItem(item: FeedItem, sessionId: string): string {
  if (item.type === 'turn') return `turn ${item.turn.turnId}`;
  // A session that ran out is closed for those who are told.
  if (item.type === 'expired') return 'closed';
  if (item.type !== 'checkpoint') return item.type;
  const { n } = JSON.parse(item.data ?? '') as { n: number };
  return `checkpoint ${sessionId}.c${n}`;
}

/** What is wrong with what a subscriber noted of one session, which should be told once each, in this order. */
export function faultsIn(
  notes: readonly Noted[],
  expected: readonly { readonly revision: number; readonly key: string }[],
): readonly string[] {
  const faults: string[] = [];
  const cursors = new Map<string, string>();
  const told: string[] = [];
  for (const { cursor, key, revision } of notes) {
    const event = `${revision} ${key}`;
    const before = cursors.get(cursor);
    if (before === undefined) told.push(event);
    else if (before !== event) faults.push(`${cursor} is '${before}' and '${event}'`);
    cursors.set(cursor, event);
  }
  const there = new Set(told);
  if (there.size < told.length) faults.push(`${told.length - there.size} under two cursors`);
  const all = expected.map(({ key, revision }) => `${revision} ${key}`);
  const missing = all.filter((event) => !there.has(event));
  if (missing.length > 0) faults.push(`${missing.length} missing, the first is '${missing[0]}'`);
  const known = new Set(all);
  const strange = told.filter((event) => !known.has(event));
  if (strange.length > 0) faults.push(`${strange.length} unknown, the first is '${strange[0]}'`);
  const kept = all.filter((event) => there.has(event));
  const at = told.filter((event) => known.has(event)).findIndex((event, i) => event !== kept[i]);
  if (at !== -1) faults.push(`out of order from '${told[at]}'`);
  return faults;
}
