import type { CommitResult, NewSession } from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';
import { breaking, committing, creating, showing, tick, without } from './breaking.ts';

const noEnd = Number.MAX_SAFE_INTEGER;

/** Stores that count wrongly. */

export const hasNoTurnCap: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append?.cap === undefined) return commit;
  return { ...commit, append: { ...append, cap: { ...append.cap, turns: noEnd } } };
});

export const hasNoWrittenCap: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append?.cap === undefined) return commit;
  return { ...commit, append: { ...append, cap: { ...append.cap, written: noEnd } } };
});

/** Looks at the cap of turns a tick before it writes. */
export const racesOnTurnCap: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    const row = await inner.session(id);
    const count = (row?.head.seq ?? 0) + (append?.turns.length ?? 0);
    if (append?.cap === undefined || commit.pointer !== undefined) return inner.commit(id, commit);
    if (count > append.cap.turns) return inner.commit(id, commit);
    await tick();
    const { cap: _, ...loose } = append;
    return inner.commit(id, { ...commit, append: loose });
  },
}));

export const closesWhenFull: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append?.cap === undefined) return commit;
  return { ...commit, append: { ...append, cap: { ...append.cap, onFull: 'close' } } };
});

export const neverCloses: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append?.cap === undefined) return commit;
  return { ...commit, append: { ...append, cap: { ...append.cap, onFull: 'refuse' } } };
});

/** Does not judge what a session begins with. */
export const neverClosesAtFirst: OpenStore = breaking((inner) => ({
  create: ({ cap: _, ...session }) => inner.create(session),
}));

/** Takes of a batch what fits. */
export const takesWhatFits: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const { append } = commit;
    const row = await inner.session(id);
    const room = (append?.cap?.turns ?? noEnd) - (row?.head.seq ?? 0);
    if (append === undefined || append.turns.length <= room || room <= 0) {
      return inner.commit(id, commit);
    }
    await inner.commit(id, {
      ...commit,
      append: { ...append, turns: append.turns.slice(0, room) },
    });
    return inner.commit(id, commit);
  },
}));

/** Counts what is written on all timelines for the cap of the history. */
export const countsLeftTurns: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const cap = commit.append?.cap;
    const row = await inner.session(id);
    const written = (row?.lifetime.turns ?? 0) + (commit.append?.turns.length ?? 0);
    if (cap !== undefined && row !== null && written > cap.turns && row.status === 'active') {
      return { refused: 'cap', cap: 'turns', max: cap.turns, actual: written, session: row };
    }
    return inner.commit(id, commit);
  },
}));

/** Says closed where the cap was what closed it. */
export const saysClosedWhenFull: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    const full = result.refused === 'cap' && result.session?.closedReason === 'turn_limit';
    return full && result.session !== null
      ? { refused: 'status', session: result.session }
      : result;
  },
}));

export const hasNoOwnerCap: OpenStore = creating((session) => ({ ...session, ownerCap: null }));

/** Counts an owner's sessions a tick before it makes one. */
export const racesOnOwnerCap: OpenStore = breaking((inner) => ({
  async create(session): Promise<CommitResult> {
    const { ownerCap, ...rest } = session;
    if (ownerCap === null) return inner.create(session);
    const { tenantId, userId } = session.owner;
    const open = await inner.list({ userId, tenantId, limit: 1_000 });
    if (open.length >= ownerCap) return inner.create(session);
    await tick();
    return inner.create({ ...rest, ownerCap: null });
  },
}));

/** Makes an owner's sessions count after their end. */
export const countsEnded: OpenStore = breaking((inner) => ({
  create: async (session) =>
    (await tooMany((query) => inner.list(query), session)) ?? inner.create(session),
}));

/** Makes branches count as sessions. */
export const countsBranches: OpenStore = breaking((inner) => ({
  async create(session): Promise<CommitResult> {
    const { tenantId, userId } = session.owner;
    const rows = await inner.list({ userId, tenantId, status: 'active', limit: 1_000 });
    if (session.ownerCap === null || rows.length < session.ownerCap) return inner.create(session);
    return { refused: 'cap', cap: 'owner', max: session.ownerCap, actual: 0, session: null };
  },
}));

/** Counts by user, whichever the tenant. */
export const countsAcrossTenants: OpenStore = breaking((inner) => ({
  async create(session): Promise<CommitResult> {
    const rows = await inner.list({ userId: session.owner.userId, status: 'active', limit: 1_000 });
    const roots = rows.filter(({ parent }) => parent === null);
    if (session.ownerCap === null || roots.length < session.ownerCap) return inner.create(session);
    return { refused: 'cap', cap: 'owner', max: session.ownerCap, actual: 0, session: null };
  },
}));

async function tooMany(
  list: (query: { userId: string; limit: number }) => Promise<readonly unknown[]>,
  session: NewSession,
): Promise<CommitResult | null> {
  const max = session.ownerCap;
  const rows = await list({ userId: session.owner.userId, limit: 1_000 });
  return max === null || rows.length < max
    ? null
    : { refused: 'cap', cap: 'owner', max, actual: rows.length + 1, session: null };
}

export const hasNoCountCap: OpenStore = committing((commit) => without(commit, 'counts'));

/** Keeps what a branch held when the branch is gone. */
export const neverReleases: OpenStore = committing((commit) => ({
  ...commit,
  records: (commit.records ?? []).filter(
    (write) => !('delete' in write && (write.kind === 'branch' || write.kind === 'hold')),
  ),
}));

/** Tells costs in cents and adds them up as they come. */
export const roundsToCents: OpenStore = committing((commit) => {
  const { append } = commit;
  const cents = (cost: number): number => Math.round(cost / 1e7) * 1e7;
  if (append === undefined) return commit;
  const turns = append.turns.map((turn) => ({ ...turn, cost: cents(turn.cost) }));
  return { ...commit, append: { ...append, turns } };
});

/** Adds tokens without those of the output. */
export const countsNoTokens: OpenStore = committing((commit) => {
  const { append } = commit;
  if (append === undefined) return commit;
  const turns = append.turns.map((turn) => ({ ...turn, tokens: Math.min(turn.tokens, 10) }));
  return { ...commit, append: { ...append, turns } };
});

/** Forgets what was written and left behind. */
export const lifetimeIsTotal: OpenStore = showing((row) => ({
  ...row,
  lifetime: { ...row.lifetime, tokens: row.tokens, cost: row.cost },
}));

/** Keeps the sums of the furthest point. */
export const sumsNeverShrink: OpenStore = breaking((inner) => ({
  commit: (id, commit) =>
    inner.session(id).then((row) => {
      const { pointer } = commit;
      if (pointer === undefined || row === null) return inner.commit(id, commit);
      const { cost, tokens } = row;
      return inner.commit(id, {
        ...commit,
        pointer: { ...pointer, to: { ...pointer.to, tokens, cost } },
      });
    }),
}));

/** Adds up past what a number holds exactly. */
export const hasNoTotalLimit: OpenStore = breaking((inner) => ({
  async commit(id, commit): Promise<CommitResult> {
    const result = await inner.commit(id, commit);
    const { append } = commit;
    if (result.refused !== 'cap' || result.cap !== 'total' || append === undefined) return result;
    const turns = append.turns.map((turn) => ({ ...turn, tokens: 0, cost: 0 }));
    return inner.commit(id, { ...commit, append: { ...append, turns } });
  },
}));
