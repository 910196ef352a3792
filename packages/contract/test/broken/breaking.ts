import { InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';
import type {
  Commit,
  CommitResult,
  Guards,
  NewSession,
  NewTurn,
  SessionRow,
  TurnRow,
} from '@lexigram/ai-session/store';
import type { OpenStore } from '../../src/index.ts';

/** What a broken store does otherwise than the store that it stands on. */
export type Fault = (inner: SessionStore, clock: () => number) => Partial<SessionStore>;

/** A store that does as the in-memory store does, but for its fault. */
export function breaking(fault: Fault): OpenStore {
  return async ({ clock }) => {
    const inner = new InMemorySessionStore({ clock });
    return { store: faulty(inner, fault(inner, clock)), dispose: () => inner.close() };
  };
}

/** The store with some calls replaced. */
export function faulty(inner: SessionStore, calls: Partial<SessionStore>): SessionStore {
  return {
    create: (session) => inner.create(session),
    commit: (id, commit) => inner.commit(id, commit),
    erase: (id, request) => inner.erase(id, request),
    collect: (request) => inner.collect(request),
    close: () => inner.close(),
    session: (id, owner) => inner.session(id, owner),
    timelines: (ids) => inner.timelines(ids),
    startingAt: (id, base, page) => inner.startingAt(id, base, page),
    turns: (segments, page) => inner.turns(segments, page),
    findTurns: (turnId, ids) => inner.findTurns(turnId, ids),
    variables: (at) => inner.variables(at),
    record: (id, kind, key) => inner.record(id, kind, key),
    records: (id, kind, page) => inner.records(id, kind, page),
    list: (query) => inner.list(query),
    due: (page) => inner.due(page),
    feed: (id, page) => inner.feed(id, page),
    report: (query) => inner.report(query),
    changes: (page) => inner.changes(page),
    watch: (wake) => inner.watch(wake),
    ...calls,
  };
}

/** A store that carries out another commit than the one it is given. */
export function committing(change: (commit: Commit, sessionId: string) => Commit): OpenStore {
  return breaking((inner) => ({
    commit: (id, commit) => inner.commit(id, change(commit, id)),
  }));
}

/** A store that makes another session than the one it is given. */
export function creating(change: (session: NewSession) => NewSession): OpenStore {
  return breaking((inner) => ({ create: (session) => inner.create(change(session)) }));
}

/** A store whose sessions read as something else. */
export function showing(
  change: (row: SessionRow, clock: () => number) => SessionRow | null,
): OpenStore {
  return breaking((inner, clock) => ({
    async session(id, owner) {
      const row = await inner.session(id, owner);
      return row === null ? null : change(row, clock);
    },
    async list(query) {
      const rows = await inner.list(query);
      return rows.flatMap((row) => change(row, clock) ?? []);
    },
  }));
}

/** A store whose turns read as something else. */
export function telling(change: (row: TurnRow) => TurnRow): OpenStore {
  return breaking((inner) => ({
    turns: async (segments, page) => (await inner.turns(segments, page)).map(change),
  }));
}

/** The commit without one of its guards. */
export function without(commit: Commit, ...names: readonly (keyof Guards)[]): Commit {
  const guards = Object.fromEntries(
    Object.entries(commit.guards ?? {}).filter(([name]) => !names.includes(name as keyof Guards)),
  );
  return { ...commit, guards };
}

/** The commit with other turns. */
export function withTurns(commit: Commit, change: (turn: NewTurn) => NewTurn): Commit {
  const { append } = commit;
  return append === undefined
    ? commit
    : { ...commit, append: { ...append, turns: append.turns.map(change) } };
}

/**
 * A store that looks first and writes later: what `loose` leaves of a commit is written a tick after its guards
 * held.
 */
export function racing(loose: (commit: Commit) => Commit): OpenStore {
  return breaking((inner) => ({
    async commit(id, commit): Promise<CommitResult> {
      const trial = await inner.commit(id, { guards: commit.guards ?? {} });
      if (trial.refused !== undefined) return trial;
      await tick();
      return inner.commit(id, loose(commit));
    },
  }));
}

/** A tick: what else was started goes on first. */
export async function tick(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await Promise.resolve();
}
