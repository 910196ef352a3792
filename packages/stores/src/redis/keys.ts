import { createHash } from 'node:crypto';
import type { Owner } from '@lexigram/ai-session/store';

/** The names of all keys. What belongs to a session bears its id as hash tag, so that it lies in one slot. */
export class Keys {
  readonly #prefix: string;
  /** Sessions by the time they were made. */
  readonly all: string;
  /** Sessions by the time at which the sweep looks at them. */
  readonly due: string;
  /** The kinds of records that have a time; with a kind behind it, those records by their time. */
  readonly dueRecords: string;
  /** What happened in all sessions: a stream. */
  readonly log: string;
  /** The last entry of the log that was dropped. */
  readonly dropped: string;
  /** Tombstones from which all is erased, by their time. */
  readonly tombstones: string;
  /** Days of which something was used; with a day behind it, the sums. */
  readonly usage: string;
  /** What turns used and is not in those sums yet: a list; and how often something of it was added to them. */
  readonly waiting: string;
  readonly folds: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.all = `${prefix}all`;
    this.due = `${prefix}due`;
    this.dueRecords = `${prefix}due:`;
    this.log = `${prefix}log`;
    this.dropped = `${prefix}dropped`;
    this.tombstones = `${prefix}tombstones`;
    this.usage = `${prefix}usage:`;
    this.waiting = `${prefix}usage:waiting`;
    this.folds = `${prefix}usage:folds`;
  }

  /** What all keys of a session begin with. */
  base(sessionId: string): string {
    return `${this.#prefix}{${sessionId}}:`;
  }

  /** The sessions of a user, of any tenant, by the time they were made. */
  user(userId: string): string {
    return `${this.#prefix}user:${digest(userId)}`;
  }

  /** What is counted for an owner; `what` is `open`, `version` or `spent`. */
  owner({ tenantId, userId }: Owner, what: 'open' | 'version' | 'spent'): string {
    return `${this.#prefix}owner:${digest(JSON.stringify([tenantId, userId]))}:${what}`;
  }
}

/** Ids of users are any text; keys are not. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
