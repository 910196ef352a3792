import type { OpenStore } from '../../src/index.ts';
import { breaking } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;

/** Stores that tell the sweep too little, or let it erase too much. */

/** Looks at as many sessions as it may answer, whether their time is up or not. */
export const looksAtOnePage: OpenStore = breaking((inner) => ({
  async due(page) {
    const oldest = (await inner.list({ limit: all })).toReversed().slice(0, page.limit);
    const ids = new Set(oldest.map(({ sessionId }) => sessionId));
    return (await inner.due(page)).filter(({ sessionId }) => ids.has(sessionId));
  },
}));

export const dueOfAnyKind: OpenStore = breaking((inner) => ({
  due: ({ limit }) => inner.due({ limit }),
}));

export const dueNow: OpenStore = breaking((inner) => ({
  due: ({ withinMs: _, ...page }) => inner.due(page),
}));

/** Erases a timeline whatever its record says. */
export const erasesStagedUnguarded: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    if (request.staged === undefined) return inner.erase(id, request);
    const { guard, timelineId } = request.staged;
    const version = (await inner.record(id, guard.kind, guard.key))?.version ?? null;
    return inner.erase(id, { ...request, staged: { timelineId, guard: { ...guard, version } } });
  },
}));

export const erasesStagedAtOnce: OpenStore = breaking((inner) => ({
  erase: (id, request) =>
    inner.erase(id, request.staged === undefined ? request : { ...request, limit: all }),
}));
