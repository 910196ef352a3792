import { MemoryLog } from './memory-log.ts';
import { reportOf } from './memory-report.ts';
import { MemorySession } from './memory-session.ts';
import type { ReportQuery } from './port.ts';
import type { Owner, ReportPage, TurnRow } from './rows.ts';
import type { StoredSession } from './transaction.ts';
import { UsageLedger } from './usage-ledger.ts';

/** All sessions of a store in memory, by id and by user. */
export class MemorySessions {
  readonly #byId = new Map<string, MemorySession>();
  readonly #byUser = new Map<string, Set<MemorySession>>();
  readonly log: MemoryLog = new MemoryLog();
  #keys = 0;
  readonly #spent = new Map<string, number>();
  readonly #ledger = new UsageLedger();
  /** Turns that are not yet in the ledger. */
  #unsettled: { readonly owner: Owner; readonly turn: TurnRow }[] = [];

  get(sessionId: string): MemorySession | undefined {
    return this.#byId.get(sessionId);
  }

  add(row: StoredSession): MemorySession {
    this.#keys += 1;
    const session = new MemorySession({ ...row, key: this.#keys }, this.log);
    this.#byId.set(row.sessionId, session);
    this.#spend(row, row.lifetimeCost);
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

  /** Puts a session's row, and its owner's spending along. */
  put(row: StoredSession): void {
    const session = this.#byId.get(row.sessionId) as MemorySession;
    this.#spend(row, row.lifetimeCost - session.row.lifetimeCost);
    session.row = row;
  }

  #spend(owner: Owner, cost: number): void {
    if (cost !== 0) this.#spent.set(ownerKey(owner), this.spent(owner) + cost);
  }

  /** Nano-dollars that an owner has spent. */
  spent(owner: Owner): number {
    return this.#spent.get(ownerKey(owner)) ?? 0;
  }

  /** Notes a turn for reports. A copy counts where it was first written. */
  note({ tenantId, userId }: Owner, turn: TurnRow): void {
    if (turn.origin === null) this.#unsettled.push({ owner: { tenantId, userId }, turn });
  }

  /** Rolls up what was noted, so that nothing here holds on to turns that are erased. */
  settle(): void {
    for (const { owner, turn } of this.#unsettled) this.#ledger.add(owner, turn);
    this.#unsettled = [];
  }

  report(query: ReportQuery): ReportPage {
    this.settle();
    return reportOf(this.#ledger, query);
  }
}

function ownerKey({ tenantId, userId }: Owner): string {
  return JSON.stringify([tenantId, userId]);
}
