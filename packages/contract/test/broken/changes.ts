import type { Change, Changes } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;

/** A store whose pages of changes read as something else. */
function paging(change: (page: Changes) => Changes): OpenStore {
  return breaking((inner) => ({ changes: async (page) => change(await inner.changes(page)) }));
}

/** Stores that tell what happened wrongly. */

/** Counts what is there, as an offset does: what was deleted before moves the rest. */
export const countsChanges: OpenStore = breaking((inner) => ({
  async changes({ after, limit, ...filter }) {
    const { items } = await inner.changes({ ...filter, after: '0', limit: all });
    const from = after === null ? items.length : Number(after);
    const page = items.slice(from, from + limit);
    const placed = page.map((item, i) => ({ ...item, position: String(from + i + 1) }));
    const next = from + page.length;
    return { items: placed, next: String(next), done: next === items.length, reset: false };
  },
}));

/** The naive cursor: goes on behind whatever is missing. */
export const jumpsSilently: OpenStore = breaking((inner) => ({
  async changes(page) {
    const read = await inner.changes(page);
    return read.reset ? inner.changes({ ...page, after: read.next }) : read;
  },
}));

/** Takes the end for the place up to which it has read. */
export const skipsToTheEnd: OpenStore = breaking((inner) => ({
  async changes(page) {
    const read = await inner.changes(page);
    const { next } = await inner.changes({ after: null, limit: 1 });
    return { ...read, next, done: true };
  },
}));

export const changesByTime: OpenStore = paging((page) => ({
  ...page,
  items: page.items.toSorted((a, b) => rank(a) - rank(b)),
}));

function rank({ type }: Change): number {
  return type === 'turn' ? 1 : 0;
}

export const changesTurnsOnly: OpenStore = paging((page) => ({
  ...page,
  items: page.items.filter(({ type }) => type === 'turn'),
}));

export const changesOfAnybody: OpenStore = breaking((inner) => ({
  changes: ({ tenantId: _, userId: __, ...page }) => inner.changes(page),
}));

export const changesOfAnyTenant: OpenStore = breaking((inner) => ({
  changes: ({ tenantId: _, ...page }) => inner.changes(page),
}));

export const changesInclusive: OpenStore = breaking((inner) => ({
  changes: (page) =>
    inner.changes({
      ...page,
      after:
        page.after === null || page.after === '0' ? page.after : String(Number(page.after) - 1),
    }),
}));

/** Tells of a deleted session as of anybody's. */
export const forgetsWhoseItWas: OpenStore = paging((page) => ({
  ...page,
  items: page.items.map((item) =>
    item.type === 'deleted' ? { ...item, owner: { tenantId: null, userId: '' } } : item,
  ),
}));

/** Wakes the first time only. */
export const wakesOnce: OpenStore = breaking((inner) => ({
  watch(wake) {
    const stop = inner.watch((told) => {
      stop();
      wake(told);
    });
    return stop;
  },
}));

export const wakesForever: OpenStore = breaking((inner) => ({
  watch(wake) {
    inner.watch(wake);
    return () => undefined;
  },
}));

export const wakesTheWrong: OpenStore = breaking((inner) => ({
  watch: (wake) =>
    inner.watch(({ from, sessions }) => {
      wake({ from, sessions: (sessions ?? []).map((one) => ({ ...one, sessionId: 's' })) });
    }),
}));
