import type { SessionStore } from '@lexigram/ai-session';
import type { EraseRequest, EraseResult, KeptTimeline } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { rawSession } from '../../src/raw.ts';
import { breaking, committing, tick } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;

/** A store that erases something else than it is told. */
function erasing(
  change: (
    request: EraseRequest & { readonly keep: readonly KeptTimeline[] },
    sessionId: string,
    inner: SessionStore,
  ) => Promise<EraseResult>,
): OpenStore {
  return breaking((inner) => ({
    erase: (id, request) =>
      request.keep === undefined
        ? inner.erase(id, request)
        : change({ ...request, keep: request.keep }, id, inner),
  }));
}

/** Stores that delete too much, too little, or not for good. */

export const erasesNothing: OpenStore = erasing(async () => ({
  found: true,
  done: true,
  parent: null,
  buried: null,
}));

/** Looks first and erases later, so that each of several believes that it was the one. */
export const buriesTwice: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    const row = await inner.session(id, request.owner);
    await tick(4);
    const result = await inner.erase(id, request);
    if (row === null) return result;
    const { metadata: _, ...head } = row;
    return { ...result, buried: result.buried ?? { ...head, revision: head.revision + 1 } };
  },
}));

/** Tells of a deleted session as it was before. */
export const buriesUndated: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    const row = await inner.session(id, request.owner);
    const result = await inner.erase(id, request);
    return { ...result, buried: result.buried === null ? null : row };
  },
}));

export const erasesEverything: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, { ...request, keep: [] }),
);

export const erasesOneTooMany: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, {
    ...request,
    keep: request.keep.map((kept) => ({ ...kept, seq: kept.seq - 1 })),
  }),
);

export const keepsWholeTimelines: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, {
    ...request,
    keep: request.keep.map((kept) => ({
      ...kept,
      seq: all,
      variables: { position: all, revision: all },
    })),
  }),
);

export const forgetsKeptVariables: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, {
    ...request,
    keep: request.keep.map((kept) => ({ ...kept, variables: null })),
  }),
);

/** Keeps no timeline of which no turn is read: the hosts of chunks, the family's first one. */
export const dropsEmptyTimelines: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, { ...request, keep: request.keep.filter(({ seq }) => seq > 0) }),
);

/** Erases all at once, however much it is. */
export const erasesAtOnce: OpenStore = erasing((request, id, inner) =>
  inner.erase(id, { ...request, limit: all }),
);

/** Keeps a session's records when it is gone. */
export const keepsRecords: OpenStore = breaking((inner) => {
  const kinds = ['checkpoint', 'memory'];
  const kept = new Map<string, Awaited<ReturnType<SessionStore['records']>>>();
  return {
    async erase(id, request) {
      if ((await inner.session(id)) !== null) {
        for (const kind of kinds) {
          kept.set(`${kind} ${id}`, await inner.records(id, kind, { limit: 100 }));
        }
      }
      return inner.erase(id, request);
    },
    records: async (id, kind, page) =>
      kept.get(`${kind} ${id}`) ?? (await inner.records(id, kind, page)),
  };
});

/** Leaves no tombstone. */
export const forgetsTombstones: OpenStore = breaking((inner) => ({
  async create(session) {
    const made = await inner.create(session);
    if (made.refused !== 'exists' || (await inner.session(session.sessionId)) !== null) return made;
    await inner.collect({ before: all, limit: all });
    return inner.create(session);
  },
}));

/** Makes a session again for a write in flight. */
export const bringsBack: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const result = await inner.commit(id, commit);
    if (result.refused !== 'unknown' || commit.append === undefined) return result;
    await inner.collect({ before: all, limit: all });
    await inner.create(rawSession(id));
    return inner.commit(id, { append: commit.append });
  },
}));

/** Shows in the feed what was said before the delete. */
export const feedsTheDead: OpenStore = breaking((inner) => {
  const said = new Map<string, Awaited<ReturnType<SessionStore['feed']>>>();
  return {
    async erase(id, request) {
      if ((await inner.session(id)) !== null) {
        said.set(id, await inner.feed(id, { after: 0, limit: 1_000 }));
      }
      return inner.erase(id, request);
    },
    feed: async (id, page) => [...(said.get(id) ?? []), ...(await inner.feed(id, page))],
  };
});

/** Lets branches hold what is deleted already. */
export const holdsTheDead: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const result = await inner.commit(id, commit);
    const hold = commit.records?.some(({ kind }) => kind === 'branch' || kind === 'hold') === true;
    if (result.refused !== 'unknown' || !hold) return result;
    return inner.commit(id, { ...commit, guards: { ...commit.guards, tombstone: true } });
  },
}));

/** Does not write a branch's hold at all. */
export const holdsNothing: OpenStore = committing((commit) => ({
  ...commit,
  records: (commit.records ?? []).filter(({ kind }) => kind !== 'hold'),
}));

/** Forgets the branches of a session. */
export const forgetsBranches: OpenStore = breaking((inner) => ({
  records: (id, kind, page) =>
    kind === 'branch' ? Promise.resolve([]) : inner.records(id, kind, page),
}));

/** Erases at once what others are about to hold. */
export const erasesTooEarly: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    const result = await inner.erase(id, request);
    if (request.keep === undefined && result.found) {
      const { found } = await inner.erase(id, { keep: [], limit: all });
      return { found, done: false, parent: null, buried: null };
    }
    await tick();
    return result;
  },
}));

/** Takes any commit to a tombstone, and writes what it brings. */
export const writesToTombstones: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const result = await inner.commit(id, commit);
    if (result.refused !== 'unknown' || commit.records === undefined) return result;
    return inner.commit(id, { guards: { tombstone: true }, records: commit.records });
  },
}));

/** Collects all of a session that was deleted, held or not, in its window or not. */
export const collectsTooMuch: OpenStore = breaking((inner) => ({
  async collect(request) {
    for (const item of await inner.due({ limit: 1_000 })) {
      if (item.due === 'erase') await inner.erase(item.sessionId, { keep: [], limit: all });
    }
    return inner.collect({ ...request, before: all });
  },
}));

export const collectsWithoutEnd: OpenStore = breaking((inner) => ({
  collect: (request) => inner.collect({ ...request, limit: all }),
}));

export const collectsHeld: OpenStore = breaking((inner) => ({
  async collect(request) {
    const dropped = await inner.collect(request);
    for (const id of ['s']) {
      const hold = { kind: 'hold', key: 'x', delete: true } as const;
      if ((await inner.session(id)) === null) {
        await inner.commit(id, { guards: { tombstone: true }, records: [hold] });
        await inner.erase(id, { keep: [], limit: all });
      }
    }
    return dropped;
  },
}));

export const staysOpen: OpenStore = breaking(() => ({ close: async () => undefined }));

/** Lets turns into a session that is suspended while it is given away. */
export const writesToSuspended: OpenStore = committing((commit) => {
  if (commit.append === undefined || commit.guards === undefined) return commit;
  const { status: _, ...guards } = commit.guards;
  return { ...commit, guards };
});
