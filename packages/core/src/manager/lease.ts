import { SessionLeaseError } from '../errors.ts';
import { readStored } from '../session/read-stored.ts';
import type { RecordGuard, RecordWrite } from '../store/port.ts';
import type { RecordRow } from '../store/rows.ts';
import type { Engine } from './engine.ts';

/** What a lease is for: a session's group run, or the making of a summary. */
export type LeaseKey = 'group' | 'compaction';

const placeOf = (key: LeaseKey): { readonly kind: string; readonly key: LeaseKey } => ({
  kind: 'lease',
  key,
});

/**
 * The right to go on with the group run of a session, or with making its summary. The version of its record is the
 * fencing token, compared in each write itself: it goes up whenever the lease is taken or given back, so that nobody
 * who held it before can write any more. The record is never deleted, for a new one would count from 1 again. While it is held it is due
 * when it runs out; once given back it is never due.
 */
export class Lease {
  readonly #engine: Engine;
  readonly #sessionId: string;
  readonly #holder: string;
  readonly #ms: number;
  readonly #token: number;
  readonly #key: LeaseKey;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  private constructor(
    engine: Engine,
    sessionId: string,
    holder: string,
    ms: number,
    token: number,
    key: LeaseKey,
  ) {
    this.#engine = engine;
    this.#sessionId = sessionId;
    this.#holder = holder;
    this.#ms = ms;
    this.#token = token;
    this.#key = key;
  }

  /** The lease that a commit with `takingLease` of this record takes. */
  static taken(
    engine: Engine,
    sessionId: string,
    holder: string,
    ms: number,
    before: RecordRow | null,
    key: LeaseKey = 'group',
  ): Lease {
    return new Lease(engine, sessionId, holder, ms, (before?.version ?? 0) + 1, key);
  }

  /** What each write under the lease has to name. */
  get guard(): RecordGuard {
    return { ...placeOf(this.#key), version: this.#token };
  }

  /** Gives the lease back, in the same effect as what is written with it. */
  get release(): RecordWrite {
    return { ...placeOf(this.#key), value: JSON.stringify({ holder: null }) };
  }

  /** Keeps it alive until `stop`; `onLost` is called once if somebody else has it. */
  beat(onLost: () => void): void {
    // Three beats may be missed before it runs out.
    const every = Math.max(1, Math.floor(this.#ms * 0.3));
    const next = (): void => {
      if (this.#over) return;
      this.#timer = setTimeout(() => void this.#extend(onLost).then(next), every);
      this.#timer.unref?.();
    };
    next();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #extend(onLost: () => void): Promise<void> {
    try {
      const result = await this.#engine.try(this.#sessionId, {
        guards: { records: [this.guard] },
        records: [{ ...heldRecord(this.#holder, this.#ms, this.#key), sameVersion: true }],
      });
      if (result.refused === undefined || this.#over) return;
      this.#over = true;
      onLost();
    } catch {
      // A store that does not answer now may answer the next beat; if not, the next step will say so.
    }
  }
}

export function readLease(
  engine: Engine,
  sessionId: string,
  key: LeaseKey = 'group',
): Promise<RecordRow | null> {
  return engine.store.record(sessionId, placeOf(key).kind, key);
}

/** The guards and the record of a commit that takes the lease as it was read: free, or run out by the store's clock. */
export function takingLease(
  before: RecordRow | null,
  holder: string,
  ms: number,
  key: LeaseKey = 'group',
): { readonly guards: readonly RecordGuard[]; readonly record: RecordWrite } {
  const asRead: RecordGuard = { ...placeOf(key), version: before?.version ?? null };
  const runOut: RecordGuard = { ...placeOf(key), version: null, due: true };
  const isHeld = before !== null && before.dueAt !== null;
  return { guards: isHeld ? [asRead, runOut] : [asRead], record: heldRecord(holder, ms, key) };
}

function heldRecord(holder: string, ms: number, key: LeaseKey): RecordWrite {
  return { ...placeOf(key), value: JSON.stringify({ holder }), dueInMs: ms };
}

/** Whether the lease is held, or was when its holder went away. */
export function wasHeld(record: RecordRow | null): boolean {
  return record !== null && record.dueAt !== null;
}

/** Whether its holder went away and did not give it back. To be asked of a lease that could be taken. */
export function wasAbandoned(record: RecordRow | null): boolean {
  return wasHeld(record) || record?.value === abandoned;
}

const abandoned = JSON.stringify({ holder: null, abandoned: true });

/**
 * Frees a lease that has run out, for the sweep: it would look at it again and again. The run stays as it is, until
 * somebody resumes it.
 */
export async function freeAbandoned(
  engine: Engine,
  sessionId: string,
  record: RecordRow,
): Promise<void> {
  const key = record.key as LeaseKey;
  const { guards } = takingLease(record, '', 0, key);
  await engine.put(sessionId, {
    guards: { tombstone: true, records: guards },
    records: [{ ...placeOf(key), value: abandoned }],
  });
}

/** Says who holds a session's run. */
export function heldBy(sessionId: string, record: RecordRow | null): SessionLeaseError {
  const value = record === null ? {} : readStored(record.value, `the lease of '${sessionId}'`);
  const holder = typeof value['holder'] === 'string' ? value['holder'] : null;
  return new SessionLeaseError(
    `The group run of session '${sessionId}' is held by ${holder === null ? 'another process' : `'${holder}'`}; resume it when that one has ended or its lease has run out`,
    { holder },
  );
}
