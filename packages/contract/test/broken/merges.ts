import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, without, withTurns } from './breaking.ts';

/** Stores that bring branches home wrongly. */

/** Keeps one copy of each id on a timeline. */
export const keepsOneCopy: OpenStore = committing((commit) => {
  const seen = new Set<string>();
  const { append } = commit;
  if (append?.timelineId === undefined) return commit;
  const turns = append.turns.filter(({ turnId }) => !seen.has(turnId) && seen.add(turnId));
  return { ...commit, append: { ...append, turns } };
});

/** Leaves a staged timeline where it was begun. */
export const neverRebases: OpenStore = committing(({ rebase: _, ...commit }) => commit);

/** Gives a staged timeline another base, and leaves its turns where they were. */
export const rebasesRowsOnly: OpenStore = breaking((inner) => {
  const moved = new Map<string, number>();
  return {
    async commit(id, commit) {
      const { rebase } = commit;
      if (rebase?.base) {
        const [before] = await inner.timelines([rebase.timelineId]);
        moved.set(rebase.timelineId, rebase.base.seq - (before?.base?.seq ?? 0));
      }
      return inner.commit(id, commit);
    },
    turns: async (segments, page) =>
      (await inner.turns(segments, page)).map((row) => ({
        ...row,
        seq: row.seq - (moved.get(row.timelineId) ?? 0),
      })),
  };
});

export const swingsPastCaps: OpenStore = committing((commit) => {
  if (commit.pointer?.cap === undefined) return commit;
  const { cap: _, ...pointer } = commit.pointer;
  return { ...commit, pointer };
});

/** Counts nothing of a merge as written. */
export const countsCopiesOnly: OpenStore = committing((commit) => {
  if (commit.pointer?.wrote === undefined) return commit;
  const { wrote: _, ...pointer } = commit.pointer;
  return { ...commit, pointer };
});

export const forgetsNotes: OpenStore = committing((commit) => {
  if (commit.operation === undefined) return commit;
  const { note: _, ...operation } = commit.operation;
  return { ...commit, operation };
});

/** Loses the origins of what a merge brings in one commit. */
export const losesOrigins: OpenStore = committing((commit) =>
  commit.pointer?.move === 'merge' ? withTurns(commit, ({ origin: _, ...turn }) => turn) : commit,
);

export const mergesNothing: OpenStore = committing((commit) => {
  const { append: _, patch: __, pointer, timeline: ___, ...rest } = commit;
  return pointer?.move === 'merge' ? rest : commit;
});

/** Keeps no note of what a merge took in. */
export const forgetsWhatMergesTook: OpenStore = breaking((inner) => ({
  timelines: async (ids) =>
    (await inner.timelines(ids)).map((row) => {
      if (row === null) return null;
      const { merged: _, ...rest } = row;
      return rest;
    }),
}));

/** Swings a merge's pointer whatever happened meanwhile. */
export const losesRevisions: OpenStore = committing((commit) =>
  commit.pointer?.move === 'merge' ? without(commit, 'revision', 'head', 'records') : commit,
);

/** Keeps no record of timelines that are out of sight. */
export const forgetsStaging: OpenStore = breaking((inner) => ({
  records: (id, kind, page) =>
    kind === 'staged' ? Promise.resolve([]) : inner.records(id, kind, page),
}));

/** Erases nothing that was staged. */
export const keepsStaged: OpenStore = breaking((inner) => ({
  async erase(id, request) {
    if (request.staged === undefined) return inner.erase(id, request);
    return { found: false, done: true, parent: null, buried: null };
  },
}));
