import { SessionInputError, SessionLimitError } from '../errors.ts';
import { checkPrintable, kindOf } from '../session/ids.ts';
import { checkText, isPlainObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { type Page, type PageOptions, parseCursor, parseLimit, toCursor } from '../session/page.ts';
import { readInput } from '../session/read-input.ts';
import type { SessionState, SessionStatus, SessionTypes } from '../session/state.ts';
import type { ListQuery } from '../store/port.ts';
import type { Engine } from './engine.ts';

/** Which sessions to list; all conditions must hold. */
export interface ListSessionsQuery {
  readonly userId?: string | undefined;
  /** Only together with `userId`. */
  readonly tenantId?: string | null | undefined;
  readonly status?: SessionStatus | undefined;
  /** Top-level keys of the metadata that must have exactly this value. */
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

const statuses: ReadonlySet<unknown> = new Set(['active', 'suspended', 'closed', 'expired']);

export async function listSessions<T extends SessionTypes>(
  engine: Engine,
  query: (ListSessionsQuery & PageOptions) | undefined,
): Promise<Page<SessionState<T>>> {
  const owners = engine.owner === undefined ? ['userId', 'tenantId'] : [];
  const given = checkOptions(query, [...owners, 'status', 'metadata', 'limit', 'cursor'], 'query');
  const { status } = given;
  if (status !== undefined && !statuses.has(status)) {
    throw new SessionInputError(
      'status',
      `expected 'active', 'suspended', 'closed' or 'expired', got ${kindOf(status)}`,
    );
  }
  const limit = parseLimit(given.limit);
  const after = parseCursor(given.cursor, 'sessions', ['time', 'sessionId']);
  const rows = await engine.store.list({
    ...ownerQuery(engine, given),
    ...(status === undefined ? {} : { status: status as SessionStatus }),
    ...(given.metadata === undefined ? {} : { metadata: parseFilter(given.metadata) }),
    limit: limit + 1,
    ...(after === undefined ? {} : { after: { createdAt: after[0], sessionId: after[1] } }),
  });
  const items = await Promise.all(rows.slice(0, limit).map((row) => engine.state<T>(row)));
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return Object.freeze({
    items: Object.freeze(items),
    nextCursor: last === undefined ? null : toCursor('sessions', last.createdAt, last.sessionId),
  });
}

function ownerQuery(
  engine: Engine,
  given: Record<string, unknown>,
): Pick<ListQuery, 'userId' | 'tenantId'> {
  if (engine.owner !== undefined) return engine.owner;
  if (given.userId === undefined) {
    if (given.tenantId === undefined) return {};
    throw new SessionInputError('tenantId', 'is given without userId');
  }
  const userId = checkPrintable(given.userId, 'userId');
  if (given.tenantId === undefined) return { userId };
  const { tenantId } = given;
  return { userId, tenantId: tenantId === null ? null : checkPrintable(tenantId, 'tenantId') };
}

function parseFilter(value: unknown): ReadonlyMap<string, string | number | boolean | null> {
  return readInput('metadata', () => readFilter(value));
}

function readFilter(value: unknown): ReadonlyMap<string, string | number | boolean | null> {
  if (!isPlainObject(value)) {
    throw new SessionInputError('metadata', `expected an object, got ${kindOf(value)}`);
  }
  const filter = new Map<string, string | number | boolean | null>();
  for (const [key, wanted] of Object.entries(value)) {
    checkText(key, 'metadata (a key)');
    if (typeof wanted === 'string') checkText(wanted, `metadata.${key}`);
    else if (typeof wanted === 'number' ? !Number.isFinite(wanted) : !isFlag(wanted)) {
      throw new SessionInputError(
        `metadata.${key}`,
        `expected a string, a finite number, true, false or null, got ${kindOf(wanted)}`,
      );
    }
    filter.set(key, wanted as string);
  }
  if (filter.size > limits.metadataKeys) {
    throw new SessionLimitError(
      'metadata',
      'metadataKeys',
      filter.size,
      limits.metadataKeys,
      'keys',
    );
  }
  return filter;
}

function isFlag(value: unknown): boolean {
  return value === null || typeof value === 'boolean';
}
