import { createHash } from 'node:crypto';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Prices } from '../analytics/model-price.ts';
import { checkPrices } from '../analytics/prices.ts';
import {
  parseSessionConfig,
  type SessionConfig,
  type SessionConfigInput,
} from '../config/session-config.ts';
import { SessionCorruptDataError, SessionInputError, SessionNotFoundError } from '../errors.ts';
import { Listeners } from '../events/listeners.ts';
import type { Written } from '../events/written.ts';
import { checkPrintable, checkSessionId, kindOf } from '../session/ids.ts';
import { deepFreeze } from '../session/json.ts';
import { toNanoUsd, toUsd } from '../session/money.ts';
import { checkOptions } from '../session/options.ts';
import { readStored } from '../session/read-stored.ts';
import type { AnySession, SessionState, SessionTypes } from '../session/state.ts';
import { toIso } from '../session/time.ts';
import type {
  Budget,
  Commit,
  CommitResult,
  Committed,
  EraseRequest,
  EraseResult,
  Expiry,
  NewSession,
  OperationKey,
  RecordWrite,
  Refusal,
  SessionStore,
} from '../store/port.ts';
import type { Owner, SessionHead, SessionRow } from '../store/rows.ts';
import { refusalError } from './refusal-error.ts';

/** Standard Schemas that type and check a session's own data. */
export interface SessionSchemas<T extends SessionTypes> {
  readonly metadata?: StandardSchemaV1<unknown, T['metadata']>;
  readonly variables?: StandardSchemaV1<unknown, T['variables']>;
}

/** Every call that writes takes it: the same operation again, within 24 hours, is answered as before. */
export interface OperationOptions {
  readonly operationId?: string | undefined;
}

export const operationKeepMs: number = 24 * 60 * 60 * 1000;
const operationPattern = /^[\x21-\x7e]+$/;

/**
 * What all services share: the store, the configuration, the owner they act for, and the way from a refusal
 * to an error and from a row to a state.
 */
export class Engine {
  readonly store: SessionStore;
  readonly config: SessionConfig;
  readonly owner: Owner | undefined;
  readonly schemas: SessionSchemas<SessionTypes>;
  /**
   * Told of every write of all services over this engine that is asked for from then on, in the order of the commits,
   * once the store has made it durable and before the call is answered. Listeners do little and at once; whatever
   * they do, the call goes on.
   */
  readonly writes: Listeners<Written>;
  /** What fills in the cost of turns that have none; undefined for nothing. */
  readonly prices: Prices | undefined;
  /** What may be spent, by the configuration; null for any amount. */
  readonly budget: Budget | null;
  /** Written with each change that ends a session, in the same atomic effect. */
  onEnd: readonly RecordWrite[] = [];

  constructor(
    store: SessionStore,
    config: SessionConfig,
    schemas: SessionSchemas<SessionTypes> = {},
    owner?: Owner,
    writes: Listeners<Written> = new Listeners(),
    prices?: Prices,
  ) {
    this.store = store;
    this.config = config;
    this.schemas = schemas;
    this.owner = owner;
    this.writes = writes;
    this.prices = prices;
    this.budget = budgetOf(config);
  }

  /** The same for one owner: whatever is not this owner's does not exist. Its writes are told to the same listeners. */
  as(owner: Owner): Engine {
    const engine = new Engine(
      this.store,
      this.config,
      this.schemas,
      owner,
      this.writes,
      this.prices,
    );
    engine.onEnd = this.onEnd;
    return engine;
  }

  get expiry(): Expiry {
    const { sessionMaxAge, sessionTtl } = this.config;
    return {
      ttlMs: sessionTtl === 0 ? null : sessionTtl * 1000,
      maxAgeMs: sessionMaxAge === null ? null : sessionMaxAge * 1000,
    };
  }

  /** @throws SessionInputError, SessionNotFoundError */
  async session(sessionId: string): Promise<SessionRow> {
    checkSessionId(sessionId);
    const row = await this.store.session(sessionId, this.owner);
    if (row === null) throw new SessionNotFoundError(sessionId);
    return row;
  }

  /** Makes a session; a refusal comes back as a value. */
  create(session: NewSession): Promise<CommitResult> {
    const { onEnd } = this;
    const records =
      onEnd.length > 0 && fills(session) ? [...(session.records ?? []), ...onEnd] : [];
    const made = this.store.create(records.length === 0 ? session : { ...session, records });
    return this.writes.any ? this.#told('create', session, made) : made;
  }

  /**
   * Several reads of a session; what they find missing because the session was deleted meanwhile is no damage.
   *
   * @throws SessionNotFoundError if it was
   */
  async whileThere<T>(sessionId: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof SessionCorruptDataError) await this.session(sessionId);
      throw error;
    }
  }

  /** Commits for the engine's owner; a refusal comes back as a value. */
  try(sessionId: string, commit: Commit): Promise<Committed | Refusal> {
    return this.put(sessionId, { ...commit, guards: { ...commit.guards, owner: this.owner } });
  }

  /** Commits for whomever the guards name; a refusal comes back as a value. */
  put(sessionId: string, commit: Commit): Promise<Committed | Refusal> {
    const { onEnd } = this;
    const ends = commit.append ?? commit.status ?? commit.pointer?.cap;
    const mayEnd = onEnd.length > 0 && ends !== undefined;
    const made = this.store.commit(
      sessionId,
      mayEnd ? { ...commit, onEnd: [...(commit.onEnd ?? []), ...onEnd] } : commit,
    );
    return this.writes.any ? this.#told('commit', commit, made) : made;
  }

  async #told(
    verb: 'create' | 'commit',
    given: NewSession | Commit,
    made: Promise<CommitResult>,
  ): Promise<CommitResult> {
    const result = await made;
    if (result.refused === undefined && !result.replayed) {
      this.writes.tell({ verb, session: result.session, given, result } as Written);
    }
    return result;
  }

  /** Sets a session's tombstone, or goes on with erasing what it left. */
  async erase(sessionId: string, request: EraseRequest): Promise<EraseResult> {
    const result = await this.store.erase(sessionId, request);
    if (result.buried !== null) this.writes.tell({ verb: 'erase', session: result.buried });
    return result;
  }

  /** Commits; a refusal is thrown as the error that it stands for. `wanted` is the status asked for. */
  async commit(sessionId: string, commit: Commit, wanted = 'active'): Promise<Committed> {
    const result = await this.try(sessionId, commit);
    if (result.refused !== undefined) throw refusalError(sessionId, result, wanted);
    return result;
  }

  /** The key of an operation; `request` is all that was asked for. */
  operation(
    options: Readonly<Record<string, unknown>>,
    ...request: readonly unknown[]
  ): OperationKey | undefined {
    if (options.operationId === undefined) return undefined;
    const id = checkPrintable(options.operationId, 'operationId', 'operationId');
    if (!operationPattern.test(id)) {
      throw new SessionInputError('operationId', 'must be visible ASCII characters only');
    }
    const digest = createHash('sha256').update(JSON.stringify(request)).digest('base64url');
    return { id, digest, keepMs: operationKeepMs };
  }

  /** What an operation was answered before, or null: for calls that would fail at something else first. */
  async recall(sessionId: string, operation: OperationKey | undefined): Promise<Committed | null> {
    if (operation === undefined) return null;
    checkSessionId(sessionId);
    // A commit that no status allows writes nothing: the store answers what it remembers, or refuses.
    const result = await this.try(sessionId, { operation, guards: { status: [] } });
    if (result.refused === undefined) return result;
    if (result.refused === 'status') return null;
    throw refusalError(sessionId, result, 'active');
  }

  /** The state that a commit left behind. */
  async stateAfter<T extends SessionTypes = AnySession>({
    metadata,
    session,
  }: Committed): Promise<SessionState<T>> {
    const record =
      metadata === undefined ? await this.store.record(session.sessionId, 'metadata', '') : null;
    return this.state<T>({ ...session, metadata: metadata ?? record?.value ?? '{}' });
  }

  async state<T extends SessionTypes = AnySession>(row: SessionRow): Promise<SessionState<T>> {
    return Object.freeze({
      sessionId: row.sessionId,
      tenantId: row.owner.tenantId,
      userId: row.owner.userId,
      status: row.status,
      head: Object.freeze({ ...row.head }),
      turnCount: row.head.seq,
      metadata: deepFreeze(
        readStored(row.metadata, `the metadata of session '${row.sessionId}'`),
      ) as T['metadata'],
      variables: deepFreeze(await this.variables(row)) as T['variables'],
      totalTokens: row.tokens,
      totalCost: toUsd(row.cost),
      lifetimeTokens: row.lifetime.tokens,
      lifetimeCost: toUsd(row.lifetime.cost),
      parentSessionId: row.parent?.sessionId ?? null,
      branchName: row.parent?.branchName ?? null,
      forkSeq: row.parent?.forkSeq ?? null,
      revision: row.revision,
      createdAt: toIso(row.createdAt),
      updatedAt: toIso(row.updatedAt),
      expiresAt: row.expiresAt === null ? null : toIso(row.expiresAt),
      closedReason: row.closedReason,
    });
  }

  /** The variables of a session. */
  async variables(row: SessionHead): Promise<Record<string, unknown>> {
    if (row.variables === null) return {};
    const place = `the variables of session '${row.sessionId}'`;
    const found = await this.store.variables(row.variables);
    if (found !== null) return readStored(found.json, place);
    await this.session(row.sessionId);
    throw new SessionCorruptDataError(place, 'the version that it points at is missing');
  }
}

function budgetOf({ maxCostPerSession, maxCostPerUser }: SessionConfig): Budget | null {
  if (maxCostPerSession === null && maxCostPerUser === null) return null;
  return {
    session: maxCostPerSession === null ? null : toNanoUsd(maxCostPerSession),
    owner: maxCostPerUser === null ? null : toNanoUsd(maxCostPerUser),
  };
}

/** Whether the turns that a session opens with fill its cap, which ends it. */
function fills({ cap, timeline, turns }: NewSession): boolean {
  const seq = (timeline.base?.seq ?? 0) + turns.length;
  return cap?.onFull === 'close' && turns.length > 0 && seq >= cap.turns;
}

/** What a service is made over. */
export interface ServiceOptions {
  readonly store: SessionStore;
  /** Checked, with defaults for what is left out. */
  readonly config?: SessionConfigInput | undefined;
  readonly schemas?: SessionSchemas<SessionTypes> | undefined;
  /** What `openPrices` answers: fills in the cost of turns that have none. */
  readonly prices?: Prices | undefined;
}

/** @throws SessionInputError if there is no store; SessionConfigError */
export function toEngine(over: ServiceOptions): Engine {
  if (over instanceof Engine) return over;
  const given = checkOptions(over, ['store', 'config', 'schemas', 'prices'], 'options');
  return new Engine(
    checkStore(given.store, 'options.store'),
    parseSessionConfig(given.config),
    checkSchemas(given.schemas, 'options.schemas'),
    undefined,
    undefined,
    checkPrices(given.prices, 'options.prices'),
  );
}

/** @throws SessionInputError */
export function checkStore(store: unknown, path: string): SessionStore {
  if (typeof (store as SessionStore | null | undefined)?.commit === 'function') {
    return store as SessionStore;
  }
  throw new SessionInputError(path, `expected a session store, got ${kindOf(store)}`);
}

/** @throws SessionInputError */
export function checkSchemas(schemas: unknown, path: string): SessionSchemas<SessionTypes> {
  const given = checkOptions(schemas, ['metadata', 'variables'], path);
  for (const [key, schema] of Object.entries(given)) {
    if (schema === undefined) continue;
    const standard = (schema as StandardSchemaV1 | null)?.['~standard'];
    if (typeof standard?.validate !== 'function') {
      throw new SessionInputError(
        `${path}.${key}`,
        `expected a Standard Schema, got ${kindOf(schema)}`,
      );
    }
  }
  return given as SessionSchemas<SessionTypes>;
}
