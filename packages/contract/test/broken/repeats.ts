import type { Commit, CommitResult, Refusal } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, type Fault, withTurns } from './breaking.ts';

type Repeat = Extract<Refusal, { refused: 'repeat' }>;

/** A store that deals otherwise with a repeat. */
function onRepeat(
  deal: (
    repeat: Repeat,
    commit: Commit,
    again: (commit: Commit) => Promise<CommitResult>,
  ) => Promise<CommitResult>,
): Fault {
  return (inner) => ({
    async commit(id, commit) {
      const result = await inner.commit(id, commit);
      if (result.refused !== 'repeat') return result;
      return deal(result, commit, (other) => inner.commit(id, other));
    },
  });
}

let copies = 0;
const asNew = (commit: Commit): Commit =>
  withTurns(commit, (turn) => ({ ...turn, turnId: `${turn.turnId}~${++copies}` }));

/** Stores that take the same turn again for something else. */

export const addsRepeats: OpenStore = breaking(
  onRepeat((_, commit, again) => again(asNew(commit))),
);

export const takesOtherContentAsRepeat: OpenStore = breaking(
  onRepeat(async (repeat, commit) => ({
    ...repeat,
    turns: repeat.turns.map((turn, i) =>
      turn === null ? null : { ...turn, body: commit.append?.turns[i]?.body ?? turn.body },
    ),
  })),
);

export const comparesTexts: OpenStore = breaking(
  onRepeat(async (repeat, commit) => ({
    ...repeat,
    turns: repeat.turns.map((turn, i) =>
      turn === null || turn.body === commit.append?.turns[i]?.body
        ? turn
        : { ...turn, body: '{"role":"system","content":"not the same bytes"}' },
    ),
  })),
);

export const forgetsLeftTurns: OpenStore = breaking(
  onRepeat((repeat, commit, again) => {
    const { timelineId } = repeat.session.head;
    const left = repeat.turns.some((turn) => turn !== null && turn.timelineId !== timelineId);
    return left ? again(asNew(commit)) : Promise.resolve(repeat);
  }),
);

export const patchesAgain: OpenStore = breaking(
  onRepeat(async (repeat, { patch }, again) => {
    if (patch !== undefined) await again({ patch, event: { type: 'variables' } });
    return repeat;
  }),
);

export const addsTheRest: OpenStore = breaking(
  onRepeat(async (repeat, commit, again) => {
    const { append } = commit;
    const fresh = append?.turns.filter((_, i) => repeat.turns[i] === null) ?? [];
    if (append === undefined || fresh.length === 0) return repeat;
    await again({ ...commit, append: { ...append, turns: fresh } });
    return again(commit);
  }),
);

export const answersOldHead: OpenStore = breaking((inner) => {
  const first = new Map<string, Repeat['session']>();
  return {
    async commit(id, commit) {
      const result = await inner.commit(id, commit);
      const turnId = commit.append?.turns[0]?.turnId ?? '';
      if (result.refused === undefined && commit.append !== undefined) {
        first.set(`${id} ${turnId}`, result.session);
      }
      if (result.refused !== 'repeat') return result;
      return { ...result, session: first.get(`${id} ${turnId}`) ?? result.session };
    },
  };
});

/** Judges the status before it looks for a repeat. */
export const judgesRepeatsLast: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const row = commit.append === undefined ? null : await inner.session(id, commit.guards?.owner);
    if (row !== null && commit.guards?.status?.includes(row.status) === false) {
      return { refused: 'status', session: row };
    }
    return inner.commit(id, commit);
  },
}));

/** Takes an id for taken that any session of the family used. */
export const sharesIdsInFamilies: OpenStore = breaking((inner) => ({
  async commit(id, commit) {
    const row = await inner.session(id);
    const turns = commit.append?.turns ?? [];
    if (row?.parent && turns.length > 0) {
      const found = await Promise.all(
        turns.map(async ({ turnId }) => {
          const [turn] = await inner.findTurns(turnId, [row.parent?.sessionId ?? '']);
          return turn ?? null;
        }),
      );
      if (found.some((turn) => turn !== null)) {
        return { refused: 'repeat', session: row, turns: found };
      }
    }
    return inner.commit(id, commit);
  },
}));
