import type { CommitResult } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, telling, tick } from './breaking.ts';

const all = Number.MAX_SAFE_INTEGER;

/** Stores that keep records wrongly. */

export const hasNoVersions: OpenStore = breaking((inner) => ({
  async record(id, kind, key) {
    const record = await inner.record(id, kind, key);
    return record === null ? null : { ...record, version: 1 };
  },
}));

export const countsHeartbeats: OpenStore = committing((commit) => ({
  ...commit,
  records: (commit.records ?? []).map((write) =>
    'delete' in write ? write : { ...write, sameVersion: false },
  ),
}));

/** Takes a lease over whether its time has passed or not. */
export const takesOverAtWill: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    const due = commit.guards?.records?.some((guard) => guard.due === true) === true;
    if (result.refused !== 'expected' || !due) return result;
    const { records: _, ...guards } = commit.guards ?? {};
    return inner.commit(id, { ...commit, guards });
  },
}));

export const neverTakesOver: OpenStore = committing((commit) => {
  const { guards } = commit;
  if (guards?.records === undefined) return commit;
  const records = guards.records.map(({ due: _, ...guard }) => guard);
  return { ...commit, guards: { ...guards, records } };
});

export const ignoresRecordGuards: OpenStore = committing((commit) => {
  const { records: _, ...guards } = commit.guards ?? {};
  return { ...commit, guards };
});

export const sortsRecordsWithoutCase: OpenStore = breaking((inner) => ({
  async records(id, kind, page) {
    const rows = await inner.records(id, kind, { limit: all });
    const fold = (key: string): string => key.toLowerCase();
    const sorted = rows.toSorted((a, b) => (fold(a.key) < fold(b.key) ? -1 : 1));
    const ordered = page.order === 'desc' ? sorted.toReversed() : sorted;
    const at = page.after === undefined ? -1 : ordered.findIndex(({ key }) => key === page.after);
    return ordered.slice(at + 1, at + 1 + page.limit);
  },
}));

export const pagesRecordsFromStart: OpenStore = breaking((inner) => ({
  records: (id, kind, { after: _, ...page }) => inner.records(id, kind, page),
}));

/** Stores that judge in another order, or write what they refuse. */

/** Judges what is expected before the status. */
export const judgesExpectedFirst: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const row = await inner.session(id, commit.guards?.owner);
    const seq = commit.guards?.seq;
    if (row !== null && seq !== undefined && seq !== row.head.seq) {
      return { refused: 'expected', what: 'seq', session: row };
    }
    return inner.commit(id, commit);
  },
}));

/** Writes records before it judges. */
export const writesRecordsFirst: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { records, ...rest } = commit;
    if (records !== undefined && commit.append !== undefined) await inner.commit(id, { records });
    return inner.commit(id, rest);
  },
}));

/** Writes turns before it looks at the label. */
export const keepsTurnsOfRefused: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused === 'label' && commit.append !== undefined) {
      await inner.commit(id, { append: commit.append });
    }
    return result;
  },
}));

/** Opens the timeline of a move before it looks whether the turn is there. */
export const opensTimelinesOfRefused: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    const { timeline } = commit;
    if (result.refused === 'repeat' && timeline !== undefined) await inner.commit(id, { timeline });
    return result;
  },
}));

/** Writes what a commit brings one after another. */
export const writesInParts: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { checkpoint, ...rest } = commit;
    if (checkpoint === undefined || commit.append === undefined) return inner.commit(id, commit);
    const first = await inner.commit(id, rest);
    if (first.refused !== undefined) return first;
    const second = await inner.commit(id, { checkpoint, event: { type: 'checkpoint' } });
    return second.refused === undefined ? { ...second, turns: first.turns } : second;
  },
}));

/** Refuses all commits to sessions that have ended. */
export const shutsEnded: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const row = await inner.session(id);
    const ended = row?.status === 'closed' || row?.status === 'expired';
    return ended && row ? { refused: 'status', session: row } : inner.commit(id, commit);
  },
}));

export const forgetsTheEnd: OpenStore = committing(({ onEnd: _, ...commit }) => commit);

export const endsEveryTime: OpenStore = committing((commit) =>
  commit.onEnd === undefined
    ? commit
    : { ...commit, records: [...(commit.records ?? []), ...commit.onEnd] },
);

/** Stores that read wrongly. */

/** Shows what was staged. */
export const showsStaging: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    if (append?.timelineId === undefined) return inner.commit(id, commit);
    const result = await inner.commit(id, commit);
    if (result.refused !== undefined) return result;
    return inner.commit(id, { event: { type: 'turns' } });
  },
}));

/** Takes copies for turns that were written here. */
export const takesCopiesForOwn: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append?.timelineId === undefined) return commit;
  const turns = append.turns.map(({ origin: _, ...turn }) => turn);
  return { ...commit, append: { ...append, turns } };
});

export const findsEverywhere: OpenStore = breaking((inner) => ({
  async findTurns(turnId) {
    const rows = await inner.list({ limit: 1_000 });
    return inner.findTurns(
      turnId,
      rows.map(({ sessionId }) => sessionId),
    );
  },
}));

export const readsWithoutLimit: OpenStore = breaking((inner) => ({
  turns: (segments, page) => inner.turns(segments, { ...page, limit: all }),
}));

export const readsUpwardsOnly: OpenStore = breaking((inner) => ({
  turns: (segments, page) => inner.turns(segments, { ...page, order: 'asc' }),
}));

export const sumsPerTurn: OpenStore = telling((row) => ({
  ...row,
  tokens: row.tokens > 3 ? 3 : row.tokens,
}));

export const dropsMissingTimelines: OpenStore = breaking((inner) => ({
  timelines: async (ids) =>
    (await inner.timelines([...new Set(ids)])).filter((row) => row !== null),
}));

export const startsNowhere: OpenStore = breaking(() => ({ startingAt: async () => [] }));

/** Finds timelines by the seq of their base alone. */
export const startsAtAnySeq: OpenStore = breaking((inner) => ({
  async startingAt(id, { seq, timelineId }, page) {
    const own = await inner.startingAt(id, { seq, timelineId }, { limit: all });
    const others = await inner.startingAt(id, { seq, timelineId: `${id}.2` }, { limit: all });
    const rows = [...own, ...(timelineId === `${id}.2` ? [] : others)];
    return rows.slice(0, page.limit);
  },
}));

export const startsFromTheFirst: OpenStore = breaking((inner) => ({
  startingAt: (id, base, { limit }) => inner.startingAt(id, base, { limit }),
}));

export const readsOneSegment: OpenStore = breaking((inner) => ({
  turns: (segments, page) => inner.turns(segments.slice(-1), page),
}));

/** Stores whose feed or sweep is wrong. */

export const feedsByTime: OpenStore = breaking((inner) => ({
  feed: async (id, page) => (await inner.feed(id, page)).toSorted((a, b) => a.at - b.at),
}));

export const feedsTurnsOnly: OpenStore = breaking((inner) => ({
  feed: async (id, page) => (await inner.feed(id, page)).filter(({ type }) => type === 'turn'),
}));

export const cutsRevisions: OpenStore = breaking((inner) => ({
  async feed(id, page) {
    const rows = await inner.feed(id, { after: page.after, limit: all });
    return rows.slice(0, page.limit);
  },
}));

/** Looks at the timeline only on which the session stands. */
export const feedsTheCurrentTimeline: OpenStore = breaking((inner) => ({
  async feed(id, page) {
    const current = (await inner.session(id))?.head.timelineId;
    const items = await inner.feed(id, page);
    return items.filter((item) => item.type !== 'turn' || item.turn.timelineId === current);
  },
}));

/** Looks for turns and for entries at two moments. */
export const feedsInTwoLooks: OpenStore = breaking((inner) => ({
  async feed(id, page) {
    const turns = await inner.feed(id, page);
    await tick(8);
    const entries = await inner.feed(id, page);
    return [
      ...turns.filter(({ type }) => type === 'turn'),
      ...entries.filter(({ type }) => type !== 'turn'),
    ].toSorted((a, b) => a.revision - b.revision);
  },
}));

/** Numbers what is left as if nothing were missing. */
export const hidesGaps: OpenStore = breaking((inner) => ({
  async feed(id, page) {
    const items = await inner.feed(id, page);
    const revisions = [...new Set(items.map(({ revision }) => revision))];
    return items.map((item) => ({
      ...item,
      revision: page.after + 1 + revisions.indexOf(item.revision),
    }));
  },
}));

export const dueForgetsRecords: OpenStore = breaking((inner) => ({
  due: async (page) => (await inner.due(page)).filter(({ due }) => due !== 'record'),
}));

export const dueWithoutLimit: OpenStore = breaking((inner) => ({
  due: () => inner.due({ limit: all }),
}));
