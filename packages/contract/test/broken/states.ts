import type { Commit, VariablesRow, VariablesVersion } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, racing, showing, tick, without } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;
const newest = (at: VariablesVersion): VariablesVersion => ({
  ...at,
  position: all,
  revision: all,
});

/** Stores that keep variables and metadata wrongly. */

export const mergesValues: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const { patch } = commit;
    const row = await inner.session(id);
    if (patch === undefined || !row?.variables) return inner.commit(id, commit);
    const now = JSON.parse((await inner.variables(row.variables))?.json ?? '{}');
    const set = new Map<string, string>();
    for (const [key, json] of patch.set) {
      const value: unknown = JSON.parse(json);
      const both = isObject(value) && isObject(now[key]);
      set.set(key, both ? JSON.stringify({ ...now[key], ...value }) : json);
    }
    return inner.commit(id, { ...commit, patch: { ...patch, set } });
  },
}));

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const neverUnsets: OpenStore = committing((commit) =>
  commit.patch === undefined ? commit : { ...commit, patch: { ...commit.patch, unset: [] } },
);

export const hasOneVersion: OpenStore = breaking((inner) => ({
  variables: (at) => inner.variables(newest(at)),
}));

/** Looks for the version asked for, and not for one before it. */
export const hasExactVersions: OpenStore = breaking((inner) => ({
  async variables(at) {
    const found = await inner.variables(at);
    const same = found?.at.position === at.position && found.at.revision === at.revision;
    return same ? found : null;
  },
}));

/** Gives patches that stand alone with the turn before them. */
export const patchesBelongToTurns: OpenStore = breaking((inner) => ({
  async variables(at) {
    const odd = at.position < all && at.position % 2 === 0;
    return inner.variables(odd ? { ...at, position: at.position + 1, revision: all } : at);
  },
}));

/** Puts a batch's patch at its first turn. */
export const patchesBatchesEarly: OpenStore = breaking((inner) => ({
  async variables(at) {
    const found = await inner.variables(at);
    if (at.position >= all) return found;
    const ahead = await inner.variables({ ...at, position: at.position + 4, revision: all });
    return ahead ?? found;
  },
}));

/** Keeps the last 64 versions. */
export const forgetsOldVersions: OpenStore = breaking((inner) => {
  const versions = new Map<string, VariablesRow[]>();
  return {
    async commit(id, commit) {
      const result = await inner.commit(id, commit);
      if (result.refused === undefined && result.session.variables !== null) {
        const at = result.session.variables;
        const row = await inner.variables(at);
        const known = versions.get(at.timelineId) ?? [];
        if (row !== null && known.at(-1)?.at.revision !== at.revision) known.push(row);
        versions.set(at.timelineId, known.slice(-64));
      }
      return result;
    },
    async variables(at) {
      const known = versions.get(at.timelineId);
      if (known === undefined || known.length < 64) return inner.variables(at);
      return known.findLast((row) => row.at.position <= at.position) ?? known[0] ?? null;
    },
  };
});

/** Reads the variables, and a tick later writes all of them. */
export const losesPatches: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const { patch } = commit;
    const row = await inner.session(id);
    if (patch === undefined || row === null) return inner.commit(id, commit);
    const before = row.variables === null ? null : await inner.variables(row.variables);
    const seen = Object.entries(JSON.parse(before?.json ?? '{}') as Record<string, unknown>);
    await tick();
    const now = (await inner.session(id))?.variables ?? null;
    const keys = Object.keys(
      JSON.parse((now && (await inner.variables(now))?.json) ?? '{}') as object,
    );
    const set = new Map(seen.map(([key, value]) => [key, JSON.stringify(value)]));
    for (const [key, json] of patch.set) set.set(key, json);
    const unset = [...patch.unset, ...keys.filter((key) => !set.has(key))];
    for (const key of patch.unset) set.delete(key);
    return inner.commit(id, { ...commit, patch: { ...patch, set, unset } });
  },
}));

/** Writes the turn where its patch is too large. */
export const dropsLargePatches: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const result = await inner.commit(id, commit);
    const tooLarge = result.refused === 'cap' && result.cap.startsWith('variables');
    if (!tooLarge || commit.append === undefined) return result;
    const { patch: _, ...rest } = commit;
    return inner.commit(id, rest);
  },
}));

export const hasNoVariablesLimit: OpenStore = committing((commit) =>
  commit.patch === undefined
    ? commit
    : { ...commit, patch: { ...commit.patch, maxBytes: all, maxKeys: all } },
);

/** Loses patches of the metadata that others made meanwhile. */
export const losesMetadata: OpenStore = racing((commit) => without(commit, 'records'));

/** Takes the metadata back with a move. */
export const movesMetadata: OpenStore = committing((commit) =>
  commit.pointer === undefined
    ? commit
    : {
        ...commit,
        records: [...(commit.records ?? []), { kind: 'metadata', key: '', delete: true }],
      },
);

export const branchesWithoutMetadata: OpenStore = creating((session) =>
  session.parent === null ? session : { ...session, metadata: '{}' },
);

export const branchesWithoutVariables: OpenStore = creating((session) =>
  session.parent === null ? session : { ...session, variables: null },
);

/** Stores that keep the status wrongly. */

const anyStatus = (commit: Commit): Commit => without(commit, 'status');

export const allowsEverything: OpenStore = committing(anyStatus);

export const allowsSuspendedWrites: OpenStore = committing((commit) => {
  const status = commit.guards?.status;
  return status?.length === 1 && status[0] === 'active'
    ? { ...commit, guards: { ...commit.guards, status: ['active', 'suspended'] } }
    : commit;
});

export const allowsResumeAlways: OpenStore = committing((commit) =>
  commit.status?.to === 'active' ? anyStatus(commit) : commit,
);

export const forgetsReasons: OpenStore = showing((row) => ({ ...row, closedReason: null }));

export const wakesBySuspending: OpenStore = committing((commit) =>
  commit.status?.to === 'suspended' ? { ...commit, status: { to: 'active' } } : commit,
);

export const refusesWhenSuspended: OpenStore = committing((commit) => {
  const status = commit.guards?.status;
  return commit.checkpoint !== undefined && status !== undefined
    ? { ...commit, guards: { ...commit.guards, status: ['active'] } }
    : commit;
});
