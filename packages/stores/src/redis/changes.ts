import type { Change, Changes, ChangesPage } from '@lexigram/ai-session/store';
import type { RunRedis } from './client.ts';
import type { Keys } from './keys.ts';
import type { Reader } from './reader.ts';

/** Entries of the log that a page looks at, at most: those of others are passed over. */
const span = 500;

/** An entry of the log: which session changed, and at which revision. */
interface Entry {
  readonly id: string;
  readonly sessionId: string;
  readonly revision: number;
  readonly owner: Change['owner'];
}

/** A page of the store-wide log; the entries only say where to look, the sessions' feeds tell what happened. */
export async function readChanges(
  run: RunRedis,
  reader: Reader,
  keys: Keys,
  page: ChangesPage,
  until: number,
): Promise<Changes> {
  const [last, dropped] = (await Promise.all([
    lastOf(run, keys, until),
    run(['GET', keys.dropped], until),
  ])) as [string, string | null];
  const end = toPosition(last);
  if (page.after === null) return { items: [], next: end, done: true, reset: false };
  const gone = dropped === null ? null : toPosition(dropped);
  const isOurs = /^\d{15}-\d{10}$/.test(page.after) && page.after <= end;
  if (!isOurs || (gone !== null && page.after < gone)) {
    const next = isOurs && gone !== null ? gone : end;
    return { items: [], next, done: next === end, reset: true };
  }
  const range = [`(${toId(page.after)}`, '+', 'COUNT', span];
  const found = (await run(['XRANGE', keys.log, ...range], until)) as [string, string[]][];
  const entries = found.map(toEntry);
  const items: Change[] = [];
  // Some may have come since the end was looked at.
  const read = toPosition(entries.at(-1)?.id ?? last);
  let next = entries.length < span && read < end ? end : read;
  const wanted = entries.filter(({ owner }) => isWanted(owner, page));
  for (let at = 0; at < wanted.length && items.length < page.limit; ) {
    // As many entries as items are still wanted: each has one item or more.
    const batch = wanted.slice(at, at + page.limit - items.length);
    const told = await Promise.all(batch.map((entry) => itemsOf(reader, entry)));
    for (const [i, entry] of batch.entries()) {
      items.push(...(told[i] ?? []));
      at += 1;
      if (items.length < page.limit) continue;
      next = toPosition(entry.id);
      break;
    }
  }
  // What was dropped while it was read may be missing.
  const since =
    items.length === 0 ? dropped : ((await run(['GET', keys.dropped], until)) as string | null);
  if (since !== null && since !== dropped && toPosition(since) > page.after) {
    return { items: [], next: toPosition(since), done: false, reset: true };
  }
  return { items, next, done: next >= end, reset: false };
}

export async function lastOf(run: RunRedis, keys: Keys, until: number): Promise<string> {
  try {
    const info = (await run(['XINFO', 'STREAM', keys.log], until)) as
      | unknown[]
      | Record<string, unknown>;
    const found = Array.isArray(info)
      ? info[info.indexOf('last-generated-id') + 1]
      : info['last-generated-id'];
    return String(found);
  } catch (error) {
    if (error instanceof Error && error.message.includes('no such key')) return '0-0';
    throw error;
  }
}

/** Ids of a stream as texts that sort as they do. */
function toPosition(id: string): string {
  const [ms = '0', n = '0'] = id.split('-');
  return `${ms.padStart(15, '0')}-${n.padStart(10, '0')}`;
}

function toId(position: string): string {
  const [ms = '0', n = '0'] = position.split('-');
  return `${Number(ms)}-${Number(n)}`;
}

function toEntry([id, fields]: [string, string[]]): Entry {
  const [, sessionId = '', , revision = '0', , owner = '[null,""]'] = fields;
  const [tenantId, userId] = JSON.parse(owner) as [string | null, string];
  return { id, sessionId, revision: Number(revision), owner: { tenantId, userId } };
}

function isWanted(owner: Change['owner'], { tenantId, userId }: ChangesPage): boolean {
  if (userId !== undefined && owner.userId !== userId) return false;
  return tenantId === undefined || owner.tenantId === tenantId;
}

async function itemsOf(
  reader: Reader,
  { id, owner, revision, sessionId }: Entry,
): Promise<readonly Change[]> {
  const items = await reader.feed(sessionId, { after: revision - 1, limit: 1 });
  return items
    .filter((item) => item.revision === revision)
    .map((item) => ({ ...item, position: toPosition(id), sessionId, owner }));
}
