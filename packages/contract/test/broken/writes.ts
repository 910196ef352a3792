import type { Commit, CommitResult, TurnRow } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, racing, telling, tick, without } from './breaking.ts';

/** Stores that write turns wrongly. */

/** Numbers a turn by the length it saw a tick before. */
export const numbersTooEarly: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const seen = (await inner.session(id))?.head.seq ?? 0;
    await tick();
    const result = await inner.commit(id, commit);
    if (result.refused !== undefined || commit.pointer !== undefined) return result;
    if (commit.append?.timelineId !== undefined) return result;
    return { ...result, turns: result.turns.map((turn, i) => ({ ...turn, seq: seen + 1 + i })) };
  },
}));

/** Shows a session as it was when it was last asked for. */
export const readsLate: OpenStore = breaking((inner) => {
  const seen = new Map<string, Awaited<ReturnType<typeof inner.session>>>();
  return {
    async session(id, owner) {
      const now = await inner.session(id, owner);
      const then = seen.get(id);
      seen.set(id, now);
      return now === null || then === undefined ? now : then;
    },
  };
});

/** Writes a batch turn by turn, letting others in between. */
export const splitsBatches: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    if (append === undefined || append.turns.length < 2) return inner.commit(id, commit);
    const turns: { readonly seq: number; readonly at: number }[] = [];
    let result: CommitResult | undefined;
    for (const [i, turn] of append.turns.entries()) {
      const last = i === append.turns.length - 1;
      const rest = last ? without(commit, 'head', 'seq') : i === 0 ? bare(commit) : {};
      result = await inner.commit(id, { ...rest, append: { ...append, turns: [turn] } });
      if (result.refused !== undefined) return result;
      turns.push(...result.turns);
      await tick(3);
    }
    return { ...(result as Extract<CommitResult, { refused?: undefined }>), turns };
  },
}));

function bare(commit: Commit): Commit {
  return { guards: commit.guards ?? {} };
}

/** Writes the variables of a turn in a second commit. */
export const patchesLater: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append, patch, ...rest } = commit;
    if (append === undefined || patch === undefined) return inner.commit(id, commit);
    const first = await inner.commit(id, { ...rest, append });
    if (first.refused !== undefined) return first;
    const second = await inner.commit(id, { patch, event: { type: 'variables' } });
    return second.refused === undefined ? { ...second, turns: first.turns } : second;
  },
}));

/** Swaps the first two turns of each page. */
export const swapsTurns: OpenStore = breaking((inner) => ({
  async turns(segments, page) {
    const [first, second, ...rest] = await inner.turns(segments, page);
    if (first === undefined || second === undefined) return first === undefined ? [] : [first];
    const swapped = (row: TurnRow, by: TurnRow): TurnRow => ({ ...row, body: by.body });
    return [swapped(first, second), swapped(second, first), ...rest];
  },
}));

/** Shows the newest turn first. */
export const addsInFront: OpenStore = breaking((inner) => ({
  async turns(segments, page) {
    const rows = await inner.turns(segments, page);
    return rows.map((row, i) => ({ ...row, body: rows.at(-1 - i)?.body ?? row.body }));
  },
}));

/** Takes turns in whichever order their given times say. */
export const ordersByTime: OpenStore = breaking((inner) => ({
  async turns(segments, page) {
    const rows = await inner.turns(segments, page);
    const byTime = rows.toSorted((a, b) => (page.order === 'asc' ? a.at - b.at : b.at - a.at));
    return rows.map((row, i) => ({ ...row, body: byTime[i]?.body ?? row.body }));
  },
}));

/** Adds a revision for each turn that has one. */
export const countsTwice: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused !== undefined || commit.append === undefined || result.replayed)
      return result;
    await inner.commit(id, { event: { type: 'metadata' } });
    return result;
  },
}));

/** Answers a revision that is not the session's. */
export const answersOldRevision: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    if (result.refused !== undefined || commit.append === undefined) return result;
    const { session } = result;
    return { ...result, session: { ...session, revision: session.revision - 1 } };
  },
}));

/** Takes a system prompt for a user's turn. */
export const forgetsRoles: OpenStore = telling((row) => ({
  ...row,
  body: row.body.replace('"role":"system"', '"role":"user"'),
}));

/** Lets two writers in who expect the same thing. */
export const racesOnHead: OpenStore = racing((commit) => without(commit, 'head'));
export const racesOnSeq: OpenStore = racing((commit) => without(commit, 'seq'));
export const racesOnRevision: OpenStore = racing((commit) => without(commit, 'revision'));
export const racesOnRecords: OpenStore = racing((commit) => without(commit, 'records'));
export const racesOnCounts: OpenStore = racing((commit) => without(commit, 'counts'));

/** Compares the length of the history where a head is expected. */
export const expectsLengthOnly: OpenStore = committing((commit) => {
  const { head } = commit.guards ?? {};
  if (head === undefined) return commit;
  return { ...commit, guards: { ...without(commit, 'head').guards, seq: head.seq } };
});

/** Writes the variables of a turn that lost. */
export const keepsLostPatch: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    const { patch } = commit;
    if (result.refused === 'expected' && patch !== undefined) {
      await inner.commit(id, { patch, event: { type: 'variables' } });
    }
    return result;
  },
}));
