import type { SessionStore } from '@lexigram/ai-session';
import type { Change, Changes } from '@lexigram/ai-session/store';

/**
 * The naive cursor: goes on after the time of what it saw last. A turn that its caller dated is skipped, and so is
 * what was committed in the same millisecond, or by a process whose clock is behind.
 */
export function pollsByTime(inner: SessionStore): SessionStore {
  const changes: SessionStore['changes'] = async ({ after, ...page }): Promise<Changes> => {
    if (after === null) return { items: [], next: '0', done: true, reset: false };
    const items: Change[] = [];
    for (let from = '0'; ; ) {
      const read = await inner.changes({ ...page, after: from });
      items.push(...read.items);
      from = read.next;
      if (read.done) break;
    }
    const at = Number(after);
    const later = items
      .filter((item) => item.at > at)
      .toSorted((a, b) => a.at - b.at)
      .slice(0, page.limit)
      .map((item) => ({ ...item, position: String(item.at) }));
    const next = later.at(-1)?.position ?? after;
    return { items: later, next, done: later.length < page.limit, reset: false };
  };
  return new Proxy(inner, {
    get(store, key) {
      if (key === 'changes') return changes;
      const member: unknown = Reflect.get(store, key, store);
      return typeof member === 'function' ? member.bind(store) : member;
    },
  });
}
