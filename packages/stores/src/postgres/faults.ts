import {
  isSessionError,
  SessionCorruptDataError,
  SessionStoreUnavailableError,
  SessionUnsupportedError,
} from '@lexigram/ai-session';

/** The SQLSTATE of an error that the server answered, or null: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function stateOf(error: unknown): string | null {
  const { code, severity } = (error ?? {}) as {
    readonly code?: unknown;
    readonly severity?: unknown;
  };
  // Errors of the network have codes too: EPIPE.
  return typeof code === 'string' && typeof severity === 'string' ? code : null;
}

/** Constraints whose violation means that something taken to be new is there. */
const takenConstraints: ReadonlySet<unknown> = new Set([
  'ai_sessions_id',
  'ai_records_key',
  'ai_owners_key',
]);

/** Whether a row that was taken to be new is there already. */
export function isTaken(error: unknown): boolean {
  const { constraint } = (error ?? {}) as { readonly constraint?: unknown };
  return stateOf(error) === '23505' && takenConstraints.has(constraint);
}

/** Whether the server undid the statement because of others: the same again may go well. */
export function isLostRace(error: unknown): boolean {
  const state = stateOf(error);
  return state === '40001' || state === '40P01';
}

/** Whether the connection is of no more use, and whether a statement went through is not known. */
export function isBroken(error: unknown): boolean {
  const state = stateOf(error);
  if (state === null) return !isMistake(error) && !isSessionError(error);
  return state.startsWith('08') || state.startsWith('57P') || state === '25P03';
}

/** An error in a program: neither the driver nor the server throws such. */
function isMistake(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
  );
}

/** Whether the same again may go well, if there is time: for work that may be repeated. */
export function isTransient(error: unknown): boolean {
  if (isLostRace(error) || isBroken(error)) return true;
  const fault = toSessionError(error);
  return fault instanceof SessionStoreUnavailableError && fault.reason === 'unreachable';
}

function behindPooler(what: string, options: { readonly cause: unknown }): SessionUnsupportedError {
  return new SessionUnsupportedError(
    `${what}: if a pooler in transaction mode stands between, add ?pooler=transaction to the URL, or give the option behindPooler`,
    options,
  );
}

/** An error of the driver or the server as ours; ours as it is. */
export function toSessionError(cause: unknown): unknown {
  if (isSessionError(cause) || isMistake(cause)) return cause;
  const options = { cause };
  const state = stateOf(cause);
  const unavailable = (
    reason: ConstructorParameters<typeof SessionStoreUnavailableError>[0],
    message: string,
  ) => new SessionStoreUnavailableError(reason, message, options);
  if (state === null) return unavailable('unreachable', 'the connection to Postgres was lost');
  switch (state) {
    case '55P03':
      return unavailable('locked', 'a lock was held by others for too long; try again');
    case '57014':
      return unavailable('unreachable', 'Postgres did not answer in time');
    case '40001':
    case '40P01':
      return unavailable('locked', 'others were in the way; try again');
    case '25006':
      return unavailable('read_only', 'the database takes no writes; is it a standby?');
    case '53100':
    case '53200':
      return unavailable('full', 'Postgres has no space left');
    case '58030':
      return unavailable('io', 'Postgres could not read or write its files');
    case '42501':
      return unavailable(
        'read_only',
        "the role may not do this; see 'Roles' in docs/postgres.md for what it needs",
      );
    case '42P01':
    case '42P07':
    case '42703':
    case '3F000':
      return new SessionCorruptDataError(
        'the database',
        'its tables are gone, or are not those of its schema version',
        options,
      );
    case '23505':
      return new SessionCorruptDataError('the database', 'a row is there twice', options);
    case '26000':
    case '42P05':
      return behindPooler('Prepared statements do not stay with their connection', options);
    case '08P01':
      if (!/startup parameter/.test(String((cause as Error).message))) break;
      return behindPooler('The connection takes no settings', options);
    case '22P05':
      return new SessionUnsupportedError(
        'The database cannot hold all of Unicode; its encoding must be UTF8',
        options,
      );
    default:
      break;
  }
  if (state.startsWith('XX')) {
    return new SessionCorruptDataError('the database', 'Postgres found damage', options);
  }
  if (isBroken(cause) || /^(28|3D|53)/.test(state)) {
    return unavailable('unreachable', `Postgres refused the connection (${state})`);
  }
  return cause;
}
