import type { CommitResult } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, tick } from './breaking.ts';

/** Stores that remember operations wrongly. */

export const forgetsOperations: OpenStore = breaking((inner) => ({
  create: ({ operation: _, ...session }) => inner.create(session),
  commit: (id, { operation: _, ...commit }) => inner.commit(id, commit),
  erase: (id, { operation: _, ...request }) => inner.erase(id, request),
}));

export const takesAnyRequest: OpenStore = breaking((inner) => ({
  create: (session) =>
    inner.create(
      session.operation === undefined
        ? session
        : { ...session, operation: { ...session.operation, digest: 'any' } },
    ),
  commit: (id, commit) =>
    inner.commit(
      id,
      commit.operation === undefined
        ? commit
        : { ...commit, operation: { ...commit.operation, digest: 'any' } },
    ),
}));

/** Takes the same operation for another request when it comes through an owner's services. */
export const tellsOperationsByOwner: OpenStore = committing((commit) => {
  const { guards, operation } = commit;
  if (operation === undefined) return commit;
  const digest = `${operation.digest} ${JSON.stringify(guards?.owner)}`;
  return { ...commit, operation: { ...operation, digest } };
});

/** Answers an operation with how things are now. */
export const answersAsOfNow: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused !== undefined || !result.replayed) return result;
    const row = await inner.session(id);
    return row === null ? result : { ...result, session: row };
  },
  async create(session) {
    const result = await inner.create(session);
    if (result.refused !== undefined || !result.replayed) return result;
    const row = await inner.session(session.sessionId);
    return row === null ? result : { ...result, session: row };
  },
}));

const forADay = 86_400_000;

export const remembersForEver: OpenStore = breaking((inner) => ({
  create: (session) =>
    inner.create(
      session.operation === undefined
        ? session
        : { ...session, operation: { ...session.operation, keepMs: forADay * 1_000 } },
    ),
  commit: (id, commit) =>
    inner.commit(
      id,
      commit.operation === undefined
        ? commit
        : { ...commit, operation: { ...commit.operation, keepMs: forADay * 1_000 } },
    ),
}));

export const remembersForAnHour: OpenStore = committing((commit) =>
  commit.operation === undefined
    ? commit
    : { ...commit, operation: { ...commit.operation, keepMs: 3_600_000 } },
);

/** Judges the status before it looks whether it knows the operation. */
export const recallsLast: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const row = await inner.session(id, commit.guards?.owner);
    const status = commit.guards?.status;
    if (row !== null && status !== undefined && status.length > 0 && !status.includes(row.status)) {
      return { refused: 'status', session: row };
    }
    return inner.commit(id, commit);
  },
}));

/** Remembers an operation a tick after it was done. */
export const remembersLate: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { operation, ...rest } = commit;
    if (operation === undefined) return inner.commit(id, commit);
    const known = await inner.record(id, 'operation', operation.id);
    if (known !== null) return inner.commit(id, commit);
    await tick();
    const result = await inner.commit(id, rest);
    if (result.refused === undefined) await inner.commit(id, { operation });
    return result;
  },
}));

/** Remembers what it refused. */
export const remembersRefusals: OpenStore = breaking((inner) => {
  const refusals = new Map<string, CommitResult>();
  return {
    async commit(id, commit) {
      const { operation } = commit;
      const key = `${id} ${operation?.id}`;
      const before = operation === undefined ? undefined : refusals.get(key);
      if (before !== undefined) return before;
      const result = await inner.commit(id, commit);
      const judged = commit.append !== undefined && result.refused !== undefined;
      if (operation !== undefined && judged) refusals.set(key, result);
      return result;
    },
  };
});

export const createsTwice: OpenStore = creating(({ operation: _, ...session }) => session);
