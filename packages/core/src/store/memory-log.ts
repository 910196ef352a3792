import { turnItems } from './checkpoints.ts';
import type { Changes, ChangesPage, Wake } from './port.ts';
import type { Change, FeedItem, TurnRow } from './rows.ts';
import type { JournalEntry, StoredSession } from './transaction.ts';

/** A session whose changes are logged. */
interface Logged {
  readonly row: StoredSession;
}

/** A turn or an entry of the journal where it stands in the log; what was deleted leaves an empty one. */
export interface LogEntry {
  readonly position: number;
  readonly session: Logged;
  what: TurnRow | JournalEntry | null;
}

/** The items of the feed that an entry stands for. */
export function entryItems({ what }: LogEntry): readonly FeedItem[] {
  if (what === null) return [];
  if ('turnId' in what) return turnItems(what);
  const { at, data, revision, type } = what;
  return [{ revision, type, at, data } as FeedItem];
}

/** What happened in all sessions of a store in memory, in order, and who waits for more of it. */
export class MemoryLog {
  #entries: LogEntry[] = [];
  #last = 0;
  /** Up to here entries may be missing that time has dropped. */
  #dropped = 0;
  #empty = 0;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #toldUpTo = 0;
  #telling = false;

  add(session: Logged, what: TurnRow | JournalEntry): LogEntry {
    this.#last += 1;
    const entry: LogEntry = { position: this.#last, session, what };
    this.#entries.push(entry);
    if (this.#watchers.size > 0 && !this.#telling) {
      this.#telling = true;
      queueMicrotask(() => this.#tell());
    }
    return entry;
  }

  /** Empties an entry: what it held is gone. `byTime` if it outlived its window. */
  clear(entry: LogEntry, byTime: boolean): void {
    if (entry.what === null) return;
    entry.what = null;
    if (byTime) this.#dropped = Math.max(this.#dropped, entry.position);
    this.#empty += 1;
    if (this.#empty < 1_000 || this.#empty * 2 < this.#entries.length) return;
    this.#entries = this.#entries.filter(({ what }) => what !== null);
    this.#empty = 0;
  }

  read({ after, limit, tenantId, userId }: ChangesPage): Changes {
    const position = after === null ? this.#last : Number(after);
    if (!(position >= this.#dropped && position <= this.#last)) {
      const next = position < this.#dropped ? this.#dropped : this.#last;
      return { items: [], next: String(next), done: next === this.#last, reset: true };
    }
    const items: Change[] = [];
    let at = this.#indexAfter(position);
    let next = this.#last;
    for (; at < this.#entries.length; at++) {
      const entry = this.#entries[at] as LogEntry;
      const { row } = entry.session;
      if (userId !== undefined && row.userId !== userId) continue;
      if (tenantId !== undefined && row.tenantId !== tenantId) continue;
      const owner = { tenantId: row.tenantId, userId: row.userId };
      const place = { position: String(entry.position), sessionId: row.sessionId, owner };
      for (const item of entryItems(entry)) items.push({ ...item, ...place });
      if (items.length < limit) continue;
      next = entry.position;
      break;
    }
    return { items, next: String(next), done: next === this.#last, reset: false };
  }

  #indexAfter(position: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as LogEntry).position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  watch(wake: (wake: Wake) => void): () => void {
    const watcher = (told: Wake): void => wake(told);
    if (this.#watchers.size === 0) this.#toldUpTo = this.#last;
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  close(): void {
    this.#watchers.clear();
  }

  #tell(): void {
    this.#telling = false;
    const sessions = new Set<Logged>();
    for (let at = this.#indexAfter(this.#toldUpTo); at < this.#entries.length; at++) {
      sessions.add((this.#entries[at] as LogEntry).session);
    }
    const wake: Wake = {
      from: String(this.#toldUpTo),
      sessions: [...sessions].map(({ row: { sessionId, tenantId, userId } }) => ({
        sessionId,
        owner: { tenantId, userId },
      })),
    };
    this.#toldUpTo = this.#last;
    for (const watcher of this.#watchers) watcher(wake);
  }
}
