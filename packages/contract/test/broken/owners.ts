import type { SessionStore } from '@lexigram/ai-session';
import type { ListQuery, Owner, SessionRow } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, without } from './breaking.ts';

/** Stores that mix owners up. */

export const ownsNothing: OpenStore = breaking((inner) => ({
  session: (id) => inner.session(id),
  commit: (id, commit) => inner.commit(id, without(commit, 'owner')),
  erase: (id, { owner: _, ...request }) => inner.erase(id, request),
}));

export const ownsReadsOnly: OpenStore = committing((commit) => without(commit, 'owner'));

export const showsAnybody: OpenStore = breaking((inner) => ({
  session: (id) => inner.session(id),
}));

export const erasesForAnybody: OpenStore = breaking((inner) => ({
  erase: (id, { owner: _, ...request }) => inner.erase(id, request),
}));

/** Takes an id for a pattern of ids. */
export const erasesByPattern: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    const pattern = new RegExp(`^${id.replaceAll(/[^\\w*%]/g, '\\$&').replaceAll(/[*%]/g, '.*')}$`);
    const rows = await inner.list({ limit: 1_000 });
    for (const { sessionId } of rows) {
      if (pattern.test(sessionId)) await inner.erase(sessionId, request);
    }
    return { found: rows.length > 0, done: request.keep !== undefined, parent: null, buried: null };
  },
}));

/** A store that compares owners in its own way. */
function comparing(same: (row: SessionRow, owner: Owner) => boolean): OpenStore {
  return breaking((inner) => ({
    async session(id, owner) {
      const row = await inner.session(id);
      return row === null || owner === undefined || same(row, owner) ? row : null;
    },
    async list(query) {
      const { tenantId, userId, ...rest } = query;
      if (userId === undefined) return inner.list(query);
      const rows = await inner.list({ ...rest, limit: 1_000 });
      const owner = { tenantId: tenantId ?? null, userId };
      return rows
        .filter((row) => (tenantId === undefined ? row.owner.userId === userId : same(row, owner)))
        .slice(0, query.limit);
    },
  }));
}

export const forgetsTenants: OpenStore = comparing(
  (row, owner) => row.owner.userId === owner.userId,
);

export const comparesPrefixes: OpenStore = comparing(
  (row, owner) =>
    row.owner.userId === owner.userId &&
    (row.owner.tenantId ?? '').startsWith(owner.tenantId ?? ' '),
);

export const comparesWithoutCase: OpenStore = comparing(
  (row, owner) =>
    row.owner.userId === owner.userId &&
    String(row.owner.tenantId).toLowerCase() === String(owner.tenantId).toLowerCase(),
);

/** Takes ids for the same that differ in case. */
export const foldsIds: OpenStore = breaking((inner) => {
  const known = new Map<string, string>();
  const real = (id: string): string => known.get(id.toLowerCase()) ?? id;
  return {
    create(session) {
      const there = known.get(session.sessionId.toLowerCase());
      known.set(session.sessionId.toLowerCase(), there ?? session.sessionId);
      return inner.create(there === undefined ? session : { ...session, sessionId: there });
    },
    session: (id, owner) => inner.session(real(id), owner),
    commit: (id, commit) => inner.commit(real(id), commit),
  };
});

/** Gives branches to whoever asked first. */
export const givesBranchesAway: OpenStore = creating((session) =>
  session.parent === null ? session : { ...session, owner: { tenantId: null, userId: 'u' } },
);

/** Stores that list wrongly. */

/** A store that reads another list than the one asked for. */
function listing(
  read: (
    query: ListQuery,
    list: (query: ListQuery) => Promise<readonly SessionRow[]>,
  ) => Promise<readonly SessionRow[]>,
): OpenStore {
  return breaking((inner: SessionStore) => ({
    list: (query) => read(query, (other) => inner.list(other)),
  }));
}

export const listsOldestFirst: OpenStore = listing(async (query, list) => {
  const rows = await list({ ...query, limit: 1_000 });
  return rows.toReversed().slice(0, query.limit);
});

export const listsLastChangedFirst: OpenStore = listing(async (query, list) => {
  const rows = await list({ ...query, limit: 1_000 });
  return rows.toSorted((a, b) => b.revision - a.revision).slice(0, query.limit);
});

export const listsNothing: OpenStore = listing(async () => []);

export const forgetsCursors: OpenStore = listing(({ after: _, ...query }, list) => list(query));

export const pagesByTimeOnly: OpenStore = listing(async (query, list) => {
  const { after, ...rest } = query;
  if (after === undefined) return list(query);
  const rows = await list({ ...rest, limit: 1_000 });
  return rows.filter((row) => row.createdAt < after.createdAt).slice(0, query.limit);
});

export const pagesByCount: OpenStore = breaking((inner) => {
  let seen = 0;
  return {
    async list({ after, ...query }) {
      if (after === undefined) seen = 0;
      const rows = await inner.list({ ...query, limit: 1_000 });
      const page = rows.slice(seen, seen + query.limit);
      seen += query.limit - 1;
      return page;
    },
  };
});

export const forgetsFilters: OpenStore = listing(({ metadata: _, ...query }, list) => list(query));
export const forgetsStatus: OpenStore = listing(({ status: _, ...query }, list) => list(query));

/** A store that compares metadata in its own way. */
function filtering(
  holds: (metadata: Record<string, unknown>, key: string, value: unknown) => boolean,
): OpenStore {
  return listing(async ({ metadata, ...query }, list) => {
    const rows = await list({ ...query, limit: 1_000 });
    return rows
      .filter((row) => {
        const values = JSON.parse(row.metadata) as Record<string, unknown>;
        return [...(metadata ?? [])].every(([key, value]) => holds(values, key, value));
      })
      .slice(0, query.limit);
  });
}

export const filtersLoosely: OpenStore = filtering(
  (metadata, key, value) => String(metadata[key] ?? null) === String(value),
);

export const filtersByPath: OpenStore = filtering((metadata, key, value) => {
  const at = key.replace(/^\$\.?/, '').split('.');
  return (
    at.reduce((part: unknown, name) => (part as Record<string, unknown>)?.[name], metadata) ===
    value
  );
});

export const filtersByPattern: OpenStore = filtering((metadata, key, value) => {
  const is = metadata[key];
  if (typeof value !== 'string' || typeof is !== 'string') return is === value;
  const pattern = value
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${pattern}$`, 's').test(is);
});

export const filtersWithoutCase: OpenStore = filtering(
  (metadata, key, value) =>
    Object.hasOwn(metadata, key) &&
    String(metadata[key]).toLowerCase() === String(value).toLowerCase() &&
    typeof metadata[key] === typeof value,
);

export const filtersByAny: OpenStore = listing(async (query, list) => {
  const { metadata, ...rest } = query;
  if (metadata === undefined || metadata.size < 2) return list(query);
  const pages = await Promise.all(
    [...metadata].map((pair) => list({ ...rest, metadata: new Map([pair]) })),
  );
  const seen = new Map(pages.flat().map((row) => [row.sessionId, row]));
  return [...seen.values()];
});

/** Lists more than was asked for. */
export const listsWithoutLimit: OpenStore = listing((query, list) =>
  list({ ...query, limit: 1_000 }),
);
