import { InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, faulty, showing } from './breaking.ts';

/** A store on another clock than the one it was given. */
function onClock(change: (now: number) => number): OpenStore {
  return async ({ clock }) => {
    const store = new InMemorySessionStore({ clock: () => change(clock()) });
    return { store, dispose: () => store.close() };
  };
}

/** Stores that tell the time wrongly, or take it for something else. */

export const clockStandsStill: OpenStore = onClock(() => Date.UTC(2026, 2, 1, 9, 30));
export const clockIsLate: OpenStore = onClock((now) => now - 1);
export const clockIsInSeconds: OpenStore = onClock((now) => Math.floor(now / 1_000) * 1_000);

/** Only the sweep ends a session here. */
export const expiresWhenSwept: OpenStore = async ({ clock }) => {
  const inner = new InMemorySessionStore({ clock });
  const store: SessionStore = faulty(inner, {
    async session(id, owner) {
      const row = await inner.session(id, owner);
      return row?.status === 'expired' ? { ...row, status: 'active' } : row;
    },
  });
  return { store, dispose: () => inner.close() };
};

/** Takes writes to sessions that have run out. */
export const writesToExpired: OpenStore = breaking((inner) => ({
  commit: (id, commit) => {
    const { status, ...guards } = commit.guards ?? {};
    const more = status?.includes('active') ? [...status, 'expired' as const] : status;
    return inner.commit(
      id,
      more === undefined ? commit : { ...commit, guards: { ...guards, status: more } },
    );
  },
}));

/** Lists by the status that was written last. */
export const listsUnswept: OpenStore = breaking((inner) => ({
  list: async (query) => {
    if (query.status === 'expired') return [];
    if (query.status !== 'active') return inner.list(query);
    const { status: _, ...rest } = query;
    const rows = await inner.list(rest);
    return rows.filter(({ status }) => status === 'active' || status === 'expired');
  },
}));

/** Counts the time to live from the creation. */
export const neverProlongs: OpenStore = committing(({ expiry: _, ...commit }) => commit);

/** Counts it from the last turn only. */
export const prolongsByTurnsOnly: OpenStore = committing((commit) => {
  const { expiry: _, ...rest } = commit;
  return commit.append === undefined ? rest : commit;
});

/** Prolongs a session that is read. */
export const prolongsByReading: OpenStore = breaking((inner) => ({
  async session(id, owner) {
    const row = await inner.session(id, owner);
    if (row === null || row.expiresAt === null || row.status === 'expired') return row;
    await inner.commit(id, { expiry: { ttlMs: 60_000, maxAgeMs: null } });
    return inner.session(id, owner);
  },
}));

/** Changes the time of a session's last change with quiet commits too. */
export const quietIsLoud: OpenStore = committing((commit) =>
  commit.append === undefined && commit.event === undefined && commit.guards?.status === undefined
    ? { ...commit, event: { type: 'metadata' } }
    : commit,
);

const noAge = <T extends { readonly expiry?: unknown }>(given: T): T =>
  given.expiry === undefined
    ? given
    : { ...given, expiry: { ...(given.expiry as object), maxAgeMs: null } };

export const hasNoMaxAge: OpenStore = breaking((inner) => ({
  create: (session) => inner.create(noAge(session)),
  commit: (id, commit) => inner.commit(id, noAge(commit)),
}));

/** Ends after a day what should live for ever. */
export const endsAfterADay: OpenStore = creating((session) => ({
  ...session,
  expiry: { ...session.expiry, ttlMs: session.expiry.ttlMs ?? 86_400_000 },
}));

/** Lets closed sessions run out. */
export const closedRunsOut: OpenStore = showing((row, clock) =>
  row.expiresAt !== null && row.expiresAt <= clock() ? { ...row, status: 'expired' } : row,
);

/** Does not let suspended sessions run out. */
export const suspendedLives: OpenStore = breaking((inner) => {
  const asleep = new Set<string>();
  return {
    async commit(id, commit) {
      if (commit.status?.to === 'suspended') {
        asleep.add(id);
        return inner.commit(id, { ...commit, expiry: { ttlMs: null, maxAgeMs: null } });
      }
      return inner.commit(id, commit);
    },
  };
});

/** Gives a branch its parent's end. */
export const branchesShareTheEnd: OpenStore = breaking((inner) => ({
  async create(session) {
    const made = await inner.create(session);
    const parent = session.parent && (await inner.session(session.parent.sessionId));
    if (!parent || parent.expiresAt === null || made.refused !== undefined) return made;
    const expiry = { ttlMs: parent.expiresAt - made.session.createdAt, maxAgeMs: null };
    const result = await inner.commit(session.sessionId, { expiry });
    return result.refused === undefined ? { ...made, session: result.session } : result;
  },
}));

/** Tells the time of this process. */
export const ownClock: OpenStore = async () => {
  const store = new InMemorySessionStore();
  return { store, dispose: () => store.close() };
};

/** Lets any number of sweepers mark a session, in time or not. */
export const marksAtWill: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    if (commit.status?.to !== 'expired') return inner.commit(id, commit);
    const { status, ...rest } = commit;
    return inner.commit(id, { ...rest, status: { to: 'closed', reason: status.to } });
  },
}));
