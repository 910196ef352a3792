import type { CommitResult, Segment, TimelineRow } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, without } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;

/** A store that reads other segments than those asked for. */
function segmenting(change: (segment: Segment, i: number) => Segment): OpenStore {
  return breaking((inner) => ({
    turns: (segments, page) => inner.turns(segments.map(change), page),
  }));
}

/** A store that keeps timelines otherwise. */
function timelining(change: (row: TimelineRow) => TimelineRow): OpenStore {
  return breaking((inner) => ({
    timelines: async (ids) =>
      (await inner.timelines(ids)).map((row) => (row === null ? null : change(row))),
  }));
}

/** Stores that move wrongly. */

export const readsPastTheEnd: OpenStore = segmenting((segment) => ({ ...segment, to: all }));

export const readsFromTheStart: OpenStore = segmenting((segment, i) =>
  i === 0 ? segment : { ...segment, from: 1 },
);

/** Shows the newest timeline of a session whatever was asked for. */
export const readsTheNewestTimeline: OpenStore = breaking((inner) => ({
  async turns(segments, page) {
    const last = segments.at(-1);
    if (last === undefined) return [];
    const rows = await inner.turns(segments, page);
    const [id, n] = last.timelineId.split('.');
    const next = { ...last, timelineId: `${id}.${Number(n) + 1}` };
    const newer = await inner.turns([next], page);
    return rows.map((row) => newer.find((other) => other.seq === row.seq) ?? row);
  },
}));

/** Forgets sealed parts of a long lineage. */
export const losesChunks: OpenStore = timelining((row) => ({ ...row, chunks: {} }));

export const forgetsPrevious: OpenStore = timelining((row) => ({ ...row, previous: null }));

/** Undoes to the first timeline. */
export const undoesEverything: OpenStore = timelining((row) => ({
  ...row,
  previous: row.previous === null ? null : `${row.timelineId.split('.')[0]}.1`,
}));

/** Takes the timeline that was left for the one that holds the turn. */
export const basesOnTheLastMove: OpenStore = timelining((row) =>
  row.base === null || row.previous === null
    ? row
    : { ...row, base: { ...row.base, timelineId: row.previous } },
);

/** Says of each base what lies there now. */
export const forgivesMisfits: OpenStore = breaking((inner) => ({
  async timelines(ids) {
    const rows = await inner.timelines(ids);
    return Promise.all(
      rows.map(async (row) => {
        if (!row?.base || row.base.seq === 0) return row;
        const { seq, timelineId } = row.base;
        const page = { limit: 1, order: 'asc' } as const;
        const [turn] = await inner.turns([{ timelineId, from: seq, to: seq }], page);
        return { ...row, base: { ...row.base, turnId: turn?.turnId ?? row.base.turnId } };
      }),
    );
  },
}));

export const staysWhereItIs: OpenStore = committing((commit) => {
  const { pointer, timeline: _, ...rest } = commit;
  return pointer?.move === 'rewind' || pointer?.move === 'restore' ? rest : commit;
});

export const selectsNothing: OpenStore = committing((commit) => {
  const { pointer, timeline: _, ...rest } = commit;
  return pointer?.move === 'select' ? rest : commit;
});

export const undoDoesNothing: OpenStore = committing((commit) => {
  const { pointer, ...rest } = commit;
  return pointer?.move === 'undo' || pointer?.move === 'redo' ? rest : commit;
});

/** Takes back the last turn, not the last move. */
export const undoesTurns: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { pointer } = commit;
    if (pointer?.move !== 'undo') return inner.commit(id, commit);
    const to = { ...pointer.to, seq: Math.max(0, pointer.to.seq - 1) };
    return inner.commit(id, { ...commit, pointer: { ...pointer, to } });
  },
}));

/** Goes back to where a timeline began, without what was added since. */
export const redoForgets: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { pointer } = commit;
    if (pointer?.move !== 'redo') return inner.commit(id, commit);
    const [row] = await inner.timelines([pointer.to.timelineId]);
    const to = { ...pointer.to, ...row?.base, timelineId: pointer.to.timelineId };
    return inner.commit(id, { ...commit, pointer: { ...pointer, to } });
  },
}));

export const turnsClearRedo: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused === undefined && commit.append !== undefined) {
      const key = result.session.head.timelineId;
      await inner.commit(id, { records: [{ kind: 'redo', key, delete: true }] });
    }
    return result;
  },
}));

export const movesWithoutAppend: OpenStore = committing((commit) => {
  const { append, ...rest } = commit;
  return append !== undefined && commit.pointer !== undefined ? rest : commit;
});

export const movesOffByOne: OpenStore = committing((commit) => {
  const { pointer } = commit;
  if (pointer?.move !== 'regenerate' || pointer.to.seq === 0) return commit;
  return { ...commit, pointer: { ...pointer, to: { ...pointer.to, seq: pointer.to.seq - 1 } } };
});

/** Keeps no reflog. */
export const keepsNoReflog: OpenStore = breaking((inner) => ({
  records: (id, kind, page) =>
    kind === 'move' ? Promise.resolve([]) : inner.records(id, kind, page),
}));

/** Counts a move as two changes. */
export const movesTwice: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    if (commit.pointer === undefined) return inner.commit(id, commit);
    const { operation: _, ...rest } = commit;
    const first = await inner.commit(id, rest);
    if (first.refused !== undefined) return first;
    return inner.commit(id, { event: { type: 'metadata' } });
  },
}));

/** Opens any timeline, next or not. */
export const opensAnyTimeline: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, without(commit, 'moves'));
    if (result.refused !== 'expected' || result.what !== 'timeline') return result;
    const { timeline: _, ...rest } = commit;
    return inner.commit(id, without(rest, 'moves'));
  },
}));

/** Finds only turns that stand on a session's first timeline. */
export const findsOnFirstTimeline: OpenStore = breaking((inner) => ({
  findTurns: async (turnId, ids) =>
    (await inner.findTurns(turnId, ids)).filter((turn) => turn.timelineId.endsWith('.1')),
}));

/** Finds the oldest turn of an id. */
export const findsTheOldest: OpenStore = breaking((inner) => ({
  async findTurns(turnId, ids) {
    const found = await inner.findTurns(turnId, ids);
    return found.toSorted((a, b) => a.seq - b.seq).slice(0, 1);
  },
}));

/** Changes a turn where it stands when it is edited. */
export const editsInPlace: OpenStore = breaking((inner) => {
  const edited = new Map<string, string>();
  return {
    commit(id, commit) {
      const { append, pointer, timeline } = commit;
      const base = timeline?.base;
      if (pointer?.move === 'edit' && base) {
        edited.set(`${id}.1 ${pointer.to.seq + 1}`, append?.turns[0]?.body ?? '');
      }
      return inner.commit(id, commit);
    },
    turns: async (segments, page) =>
      (await inner.turns(segments, page)).map((row) => ({
        ...row,
        body: edited.get(`${row.timelineId} ${row.seq}`) ?? row.body,
      })),
  };
});

/** Redoes the last undo, whatever was done since. */
export const redoesAnything: OpenStore = breaking((inner) => {
  const last = new Map<string, string>();
  return {
    commit(id, commit) {
      for (const write of commit.records ?? []) {
        if (write.kind === 'redo' && !('delete' in write)) last.set(id, write.value);
      }
      return inner.commit(id, commit);
    },
    async record(id, kind, key) {
      const record = await inner.record(id, kind, key);
      const value = last.get(id);
      if (kind !== 'redo' || record !== null || value === undefined) return record;
      return { kind, key, version: 1, value, label: null, dueAt: null, createdAt: 0 };
    },
  };
});
