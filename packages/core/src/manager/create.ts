import { createHash } from 'node:crypto';
import { SessionCapacityError, SessionInputError } from '../errors.ts';
import {
  checkPrintable,
  checkSessionId,
  kindOf,
  newSessionId,
  timelineId,
} from '../session/ids.ts';
import { checkOptions } from '../session/options.ts';
import { parseMetadata, parseVariables } from '../session/parse-patch.ts';
import { parseTurn } from '../session/parse-turn.ts';
import type { SessionTypes } from '../session/state.ts';
import type { Committed, NewSession, OperationKey } from '../store/port.ts';
import type { Owner } from '../store/rows.ts';
import { capOf, checkpointsOf } from './append.ts';
import type { Engine, OperationOptions } from './engine.ts';
import { refusalError } from './refusal-error.ts';
import { checkWhole } from './schemas.ts';

/** What a new session starts with. Within `as(owner)` the owner is left out, and so is `sessionId`. */
export interface CreateSessionInput<T extends SessionTypes> extends OperationOptions {
  readonly userId: string;
  readonly tenantId?: string | null | undefined;
  /** Generated if left out. */
  readonly sessionId?: string | undefined;
  readonly metadata?: T['metadata'] | undefined;
  readonly variables?: T['variables'] | undefined;
  /** In place of the configuration's; null for none. */
  readonly systemPrompt?: string | null | undefined;
}

const ownInputs = ['metadata', 'variables', 'systemPrompt', 'operationId'];

export async function createSession(
  engine: Engine,
  input: CreateSessionInput<SessionTypes>,
): Promise<Committed> {
  const scoped = engine.owner !== undefined;
  if (input === null || (input === undefined && !scoped)) {
    throw new SessionInputError('input', `expected an object, got ${kindOf(input)}`);
  }
  const given = checkOptions(
    input,
    scoped ? ownInputs : [...ownInputs, 'userId', 'tenantId', 'sessionId'],
    'input',
  );
  const owner = engine.owner ?? parseOwner(given);
  const { defaultSystemPrompt, maxSessionsPerUser } = engine.config;
  const prompt = given.systemPrompt === undefined ? defaultSystemPrompt : given.systemPrompt;
  if (prompt !== null && typeof prompt !== 'string') {
    throw new SessionInputError('systemPrompt', `expected a string or null, got ${kindOf(prompt)}`);
  }
  const turns =
    prompt === null ? [] : [parseTurn({ role: 'system', content: prompt }, 'systemPrompt')];
  // Read before anything is waited for: the caller may change it then.
  let metadata = parseMetadata(orEmpty(given.metadata));
  let variables = parseVariables(orEmpty(given.variables));
  const chosen = given.sessionId === undefined ? undefined : checkSessionId(given.sessionId);
  const operation = engine.operation(given, 'create', owner, [chosen, metadata, variables, prompt]);
  metadata = parseMetadata(await checkWhole(engine.schemas.metadata, metadata, 'metadata'));
  variables = parseVariables(
    await checkWhole(engine.schemas.variables, variables ?? '{}', 'variables'),
  );
  const session: Omit<NewSession, 'sessionId' | 'timeline'> = {
    owner,
    parent: null,
    metadata,
    variables,
    turns,
    cap: capOf(engine),
    ...checkpointsOf(engine),
    expiry: engine.expiry,
    ownerCap: maxSessionsPerUser,
    ...(operation === undefined ? {} : { operation }),
  };
  return createWithId(engine, chosen, owner, operation, null, async (sessionId) => {
    const id = timelineId(sessionId, 1);
    return {
      sessionId,
      timeline: { timelineId: id, base: null, lineage: [], chunks: {}, root: id },
      ...session,
    };
  });
}

function orEmpty(value: unknown): unknown {
  return value === undefined ? {} : value;
}

/** @throws SessionInputError */
export function parseOwner(given: {
  readonly tenantId?: unknown;
  readonly userId?: unknown;
}): Owner {
  return {
    tenantId:
      given.tenantId === undefined || given.tenantId === null
        ? null
        : checkPrintable(given.tenantId, 'tenantId'),
    userId: checkPrintable(given.userId, 'userId'),
  };
}

/** How often an operation's id may be used again, 24 hours apart, before its derived ids run out. */
const derivations = 1_000;

/**
 * Makes a session under a chosen id, or a generated one. The id that an operation generates is derived from the
 * operation, so that the same operation again meets the session that the first one made.
 *
 * @throws SessionCapacityError, SessionConflictError
 */
export async function createWithId(
  engine: Engine,
  chosen: string | undefined,
  owner: Owner,
  operation: OperationKey | undefined,
  parentId: string | null,
  session: (sessionId: string) => Promise<NewSession>,
): Promise<Committed> {
  for (let n = 0; ; n++) {
    const sessionId = chosen ?? generatedId(owner, operation, parentId, n);
    const result = await engine.create(await session(sessionId));
    if (result.refused === undefined) return result;
    if (result.refused === 'cap') {
      throw new SessionCapacityError(
        `user '${owner.userId}' already has ${result.max} active sessions (max ${result.max})`,
        'maxSessionsPerUser',
        result.max,
      );
    }
    const taken = result.refused === 'exists' && chosen === undefined && n < derivations;
    if (!taken) throw refusalError(sessionId, result, 'active');
    // Made by another request under this operation id: a conflict. Made more than 24 hours ago, or deleted since:
    // the next id that the operation generates is free.
    if ((await engine.store.session(sessionId)) !== null) await engine.recall(sessionId, operation);
  }
}

/**
 * What a create or fork under this operation was answered before, or null if it is new.
 *
 * @throws SessionConflictError with reason `operation` if it was used for another request
 */
export async function recallCreation(
  engine: Engine,
  owner: Owner,
  operation: OperationKey | undefined,
  parentId: string | null,
): Promise<Committed | null> {
  if (operation === undefined) return null;
  for (let n = 0; n <= derivations; n++) {
    const sessionId = generatedId(owner, operation, parentId, n);
    if ((await engine.store.session(sessionId)) === null) return null;
    const before = await engine.recall(sessionId, operation);
    if (before !== null) return before;
  }
  return null;
}

/** Ids of operations are of a session: of a create they are the owner's, of a fork the parent's. */
function generatedId(
  owner: Owner,
  operation: OperationKey | undefined,
  parentId: string | null,
  n: number,
): string {
  if (operation === undefined) return newSessionId();
  const request = JSON.stringify([owner.tenantId, owner.userId, parentId, operation.id, n]);
  return createHash('sha256').update(request).digest('base64url').slice(0, 22);
}
