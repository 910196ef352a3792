import { createHash } from 'node:crypto';
import type { Owner } from '@lexigram/ai-session/store';

/**
 * The names of all keys. What belongs to a session bears its id as hash tag, so that it lies in one slot. What goes
 * across sessions lies in registers: one for all sessions, and one for each user. A register is one slot too; its tag
 * begins with a dot, which no id of a session does.
 */
export class Keys {
  readonly #prefix: string;
  /** What the keys of the register of all sessions begin with. */
  readonly register: string;
  /** Sessions by the time they were made. */
  readonly all: string;
  /** Sessions by the time at which the sweep looks at them. */
  readonly due: string;
  /** The kinds of records that have a time; with a kind behind it, those records by their time. */
  readonly dueRecords: string;
  /** What happened in all sessions: a stream. */
  readonly log: string;
  /** The channel on which processes tell each other that there is something new. */
  readonly bell: string;
  /** The last entry of the log that was dropped. */
  readonly dropped: string;
  /** Tombstones from which all is erased, by their time. */
  readonly tombstones: string;
  /** Days of which something was used; with a day behind it, the sums. */
  readonly usage: string;
  /** What turns used and is not in those sums yet: a list; and how often something of it was added to them. */
  readonly waiting: string;
  readonly folds: string;
  /**
   * Sessions whose outbox may hold something, by the time at which somebody said so: the same twice, on different
   * masters, so that one which loses its last moments does not take with it who has to be told again.
   */
  readonly watched: readonly string[];

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.register = `${prefix}{.}:`;
    this.all = `${this.register}all`;
    this.due = `${this.register}due`;
    this.dueRecords = `${this.register}due:`;
    this.log = `${this.register}log`;
    this.bell = `${this.register}bell`;
    this.dropped = `${this.register}dropped`;
    this.tombstones = `${this.register}tombstones`;
    this.usage = `${this.register}usage:`;
    this.waiting = `${this.register}usage:waiting`;
    this.folds = `${this.register}usage:folds`;
    this.watched = [`${this.register}watched`, `${prefix}{..}:watched`];
  }

  /** What all keys of a session begin with. */
  base(sessionId: string): string {
    // No session has such an id; one that is asked for has keys of its own all the same.
    const tag = /^[^{}]+$/.test(sessionId) ? sessionId : `.=${encodeURIComponent(sessionId)}`;
    return `${this.#prefix}{${tag}}:`;
  }

  /** What the keys of a user's register begin with, for all tenants. */
  userRegister(userId: string): string {
    return `${this.#prefix}{.${digest(userId)}}:`;
  }

  /** The sessions of a user, of any tenant, by the time they were made. */
  user(userId: string): string {
    return `${this.userRegister(userId)}sessions`;
  }

  /**
   * What is counted for an owner: the sessions that are `open`, what is `spent`, what is `reserved` of both, and the
   * `version` of all that.
   */
  owner({ tenantId, userId }: Owner, what: 'open' | 'version' | 'spent' | 'reserved'): string {
    const tenant = tenantId === null ? '' : `=${digest(tenantId)}`;
    return `${this.userRegister(userId)}${what}${tenant}`;
  }

  /** What of a session's outbox a register has taken in, by time. */
  taken(register: string, sessionId: string): string {
    return `${register}taken:${sessionId}`;
  }
}

/** Ids of users and tenants are any text; keys are not. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
