import { MemorySession } from './memory-session.ts';
import type { StoredSession } from './transaction.ts';

/** All sessions of a store in memory, by id and by user. */
export class MemorySessions {
  readonly #byId = new Map<string, MemorySession>();
  readonly #byUser = new Map<string, Set<MemorySession>>();
  #keys = 0;

  get(sessionId: string): MemorySession | undefined {
    return this.#byId.get(sessionId);
  }

  add(row: StoredSession): MemorySession {
    this.#keys += 1;
    const session = new MemorySession({ ...row, key: this.#keys });
    this.#byId.set(row.sessionId, session);
    const users = this.#byUser.get(row.userId);
    if (users === undefined) this.#byUser.set(row.userId, new Set([session]));
    else users.add(session);
    return session;
  }

  delete(session: MemorySession): void {
    this.#byId.delete(session.row.sessionId);
    const users = this.#byUser.get(session.row.userId);
    users?.delete(session);
    if (users?.size === 0) this.#byUser.delete(session.row.userId);
  }

  values(): IterableIterator<MemorySession> {
    return this.#byId.values();
  }

  /** The sessions of a user, of any tenant. */
  ofUser(userId: string): Iterable<MemorySession> {
    return this.#byUser.get(userId) ?? [];
  }
}
