import type { Commit, CommitResult } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating } from './breaking.ts';

/** Stores that make, keep and drop checkpoints wrongly. */

function everyN(
  change: (checkpoints: { readonly every: number; readonly max: number }) => object | null,
): OpenStore {
  return committing((commit) => {
    const { append } = commit;
    if (append?.checkpoints === undefined) return commit;
    const { checkpoints, ...rest } = append;
    const other = change(checkpoints);
    return {
      ...commit,
      append: other === null ? rest : { ...rest, checkpoints: { ...checkpoints, ...other } },
    };
  });
}

export const makesNoCheckpoints: OpenStore = everyN(() => null);
export const makesTooMany: OpenStore = everyN(() => ({ max: 1_000 }));

/** Makes no checkpoint at the turns that open a session. */
export const noCheckpointAtFirst: OpenStore = creating(({ checkpoints: _, ...session }) => session);

/** Lists automatic checkpoints behind all others. */
export const marksAfterRecords: OpenStore = breaking((inner) => ({
  async records(id, kind, page) {
    const records = await inner.records(id, kind, page);
    const isAutomatic = (value: string) => value.startsWith('{"automatic":true');
    return kind === 'checkpoint'
      ? [
          ...records.filter(({ value }) => !isAutomatic(value)),
          ...records.filter(({ value }) => isAutomatic(value)),
        ]
      : records;
  },
}));

/** Makes one checkpoint for a batch, at its end. */
export const checkpointsOncePerBatch: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    const before = (await inner.session(id))?.head.seq ?? 0;
    if (append?.checkpoints === undefined) return inner.commit(id, commit);
    const { checkpoints, ...rest } = append;
    const after = before + append.turns.length;
    const last = after % checkpoints.every === 0;
    return inner.commit(
      id,
      last && append.turns.length === 1 ? commit : { ...commit, append: rest },
    );
  },
}));

/** Makes an automatic checkpoint in a second commit. */
export const checkpointsLater: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    if (append?.checkpoints === undefined) return inner.commit(id, commit);
    const { checkpoints, ...rest } = append;
    const result = await inner.commit(id, { ...commit, append: rest });
    if (result.refused !== undefined || result.session.head.seq % checkpoints.every !== 0) {
      return result;
    }
    const { max } = checkpoints;
    const second = await inner.commit(id, {
      checkpoint: { label: null, metadata: null, max },
      event: { type: 'checkpoint' },
    });
    return second.refused === undefined ? { ...second, turns: result.turns } : result;
  },
}));

/** Drops the oldest checkpoint, whatever it is. */
export const dropsTheOldest: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const max = commit.checkpoint?.max ?? commit.append?.checkpoints?.max;
    const records = await inner.records(id, 'checkpoint', { limit: 1_000 });
    const [oldest] = records;
    if (max !== undefined && records.length >= max && oldest !== undefined) {
      const { key, kind } = oldest;
      await inner.commit(id, { records: [{ kind, key, delete: true }] });
    }
    return inner.commit(id, commit);
  },
}));

/** Has no room and says so, also to a turn. */
export const refusesTurnsWhenLabelled: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const max = commit.append?.checkpoints?.max;
    const every = commit.append?.checkpoints?.every ?? 1;
    const row = await inner.session(id);
    const records = await inner.records(id, 'checkpoint', { limit: 1_000 });
    const full =
      max !== undefined && records.length >= max && records.every((one) => one.label !== null);
    if (!full || row === null || (row.head.seq + 1) % every !== 0) return inner.commit(id, commit);
    return { refused: 'cap', cap: 'checkpoints', max, actual: max + 1, session: row };
  },
}));

export const forgetsLabels: OpenStore = committing((commit) =>
  commit.checkpoint === undefined
    ? commit
    : { ...commit, checkpoint: { ...commit.checkpoint, label: null } },
);

/** Moves a label to where the session stands now. */
export const movesLabels: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused !== 'label') return result;
    const { key, kind } = result.record;
    await inner.commit(id, { records: [{ kind, key, delete: true }] });
    return inner.commit(id, commit);
  },
}));

/** Makes checkpoints follow their session. */
export const checkpointsFollow: OpenStore = breaking((inner) => ({
  async record(id, kind, key) {
    const record = await inner.record(id, kind, key);
    const row = await inner.session(id);
    if (record === null || row === null || kind !== 'checkpoint') return record;
    const value = JSON.parse(record.value) as { point: object };
    const { cost, head, tokens, variables } = row;
    return {
      ...record,
      value: JSON.stringify({ ...value, point: { ...head, tokens, cost, variables } }),
    };
  },
}));

/** Restores turns but leaves the variables where they are. */
export const restoresTurnsOnly: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { pointer } = commit;
    if (pointer?.move !== 'restore') return inner.commit(id, commit);
    const variables = (await inner.session(id))?.variables ?? null;
    return inner.commit(id, {
      ...commit,
      pointer: { ...pointer, to: { ...pointer.to, variables } },
    });
  },
}));

/** Gives a new checkpoint the id of one that was deleted. */
export const keepsDeletedCheckpoints: OpenStore = committing((commit) => ({
  ...commit,
  records: (commit.records ?? []).filter(
    (write) => !('delete' in write && write.kind === 'checkpoint'),
  ),
}));

/** Forgets what metadata a checkpoint has. */
export const checkpointsWithoutMetadata: OpenStore = committing((commit) =>
  commit.checkpoint === undefined
    ? commit
    : { ...commit, checkpoint: { ...commit.checkpoint, metadata: null } },
);

/** Stores that make branches wrongly. */

export const forgetsParents: OpenStore = creating((session) => ({ ...session, parent: null }));

export const countsForkFromZero: OpenStore = creating((session) =>
  session.parent === null ? session : { ...session, parent: { ...session.parent, forkSeq: 0 } },
);

export const branchesWithoutHistory: OpenStore = creating((session) => {
  if (session.parent === null) return session;
  const { timelineId } = session.timeline;
  return {
    ...session,
    timeline: { timelineId, base: null, lineage: [], chunks: {}, root: timelineId },
  };
});

/** Starts a branch where its parent stands by the time that it is made. */
export const branchesSlip: OpenStore = breaking((inner) => ({
  async create(session) {
    const { parent, timeline } = session;
    const now = parent === null ? null : await inner.session(parent.sessionId);
    const { base } = timeline;
    if (now === null || base === null || now.head.timelineId !== base.timelineId) {
      return inner.create(session);
    }
    const later = { ...base, seq: now.head.seq, turnId: now.head.turnId };
    return inner.create({ ...session, timeline: { ...timeline, base: later } });
  },
}));

/** Sums of a branch that begin at nothing. */
export const branchesWithoutSums: OpenStore = creating((session) => {
  const { base } = session.timeline;
  if (base === null) return session;
  return { ...session, timeline: { ...session.timeline, base: { ...base, tokens: 0, cost: 0 } } };
});

/** Tells the times of a session's branches backwards. */
export const listsBranchesBackwards: OpenStore = breaking((inner) => ({
  async records(id, kind, page) {
    const records = await inner.records(id, kind, page);
    return kind === 'branch'
      ? records.map((record) => ({ ...record, createdAt: -record.createdAt }))
      : records;
  },
}));

export const renamesTwins: OpenStore = breaking((inner) => {
  const names = new Set<string>();
  return {
    create(session) {
      const name = session.parent?.branchName ?? '';
      const taken = session.parent !== null && names.has(name);
      names.add(name);
      return inner.create(
        taken && session.parent !== null
          ? { ...session, parent: { ...session.parent, branchName: `${name} (2)` } }
          : session,
      );
    },
  };
});

/** A commit that writes its turns and forgets everything else. */
export const writesTurnsOnly: OpenStore = committing((commit: Commit) => {
  const { append, guards } = commit;
  return append === undefined || append.timelineId !== undefined
    ? commit
    : { append, guards: guards ?? {} };
});
