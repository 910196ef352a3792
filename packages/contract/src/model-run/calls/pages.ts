import assert from 'node:assert/strict';
import type { Page, PageOptions } from '@lexigram/ai-session';

/** All items of a list, page by page. No page is longer than asked for, and the last one has no cursor. */
export async function allPages<T>(
  limit: number,
  page: (options: PageOptions) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let pages = 0; ; pages++) {
    const answer = await page({ limit, cursor });
    assert.ok(answer.items.length <= limit, `a page of ${limit} has ${answer.items.length} items`);
    items.push(...answer.items);
    if (answer.nextCursor === null) return items;
    assert.ok(pages < 1_000, 'the list does not end');
    cursor = answer.nextCursor;
  }
}

/** The same things in one order: those that a list may show in any order, as they have one time, by their id. */
export function inOneOrder<T extends { readonly createdAt: string; readonly sessionId: string }>(
  items: readonly T[],
  newestFirst: boolean,
): readonly T[] {
  const sign = newestFirst ? -1 : 1;
  for (const [i, item] of items.entries()) {
    const before = items[i - 1];
    if (before === undefined || before.createdAt === item.createdAt) continue;
    assert.ok(
      before.createdAt < item.createdAt !== newestFirst,
      `${before.createdAt} comes before ${item.createdAt}`,
    );
  }
  return items.toSorted((a, b) =>
    a.createdAt === b.createdAt
      ? a.sessionId < b.sessionId
        ? -1
        : 1
      : a.createdAt < b.createdAt
        ? -sign
        : sign,
  );
}

/** Everything that an iterable gives. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
