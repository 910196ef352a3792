/**
 * Every error of the library. One base class, one literal `code` for each class; a message says what
 * happened, the value at fault and what to do. No error carries the content of a turn.
 */

/** Marks our errors, also for another installed copy of this library. */
const brand = Symbol.for('lexigram.ai-session.error');

/** The stable codes, one for each class. */
export type SessionErrorCode =
  | 'LEX_ERR_SES_006'
  | 'LEX_ERR_SES_007'
  | 'LEX_ERR_SES_008'
  | 'LEX_ERR_SES_009'
  | 'LEX_ERR_SES_010'
  | 'LEX_ERR_SES_011'
  | 'LEX_ERR_SES_012'
  | 'LEX_ERR_SES_013'
  | 'LEX_ERR_SES_014'
  | 'LEX_ERR_SES_015'
  | 'LEX_ERR_SES_016'
  | 'LEX_ERR_SES_017'
  | 'LEX_ERR_SES_018'
  | 'LEX_ERR_SES_019'
  | 'LEX_ERR_SES_020';

/** The base of every error that this library throws on purpose. */
export class SessionError extends Error {
  readonly code: SessionErrorCode = 'LEX_ERR_SES_006';
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is a SessionError, also one thrown by a second installed copy of this library
 * (`instanceof` fails there; the brand does not).
 */
export function isSessionError(value: unknown): value is SessionError {
  return value instanceof Error && Object.hasOwn(value, brand);
}

/** No such session, or it belongs to somebody else: the answer is the same. */
export class SessionNotFoundError extends SessionError {
  override readonly code = 'LEX_ERR_SES_007';
  readonly sessionId: string;

  constructor(sessionId: string) {
    super(`Session not found: '${shown(sessionId)}'`);
    this.sessionId = sessionId;
  }
}

/** A write to a session that was closed. */
export class SessionClosedError extends SessionError {
  override readonly code = 'LEX_ERR_SES_008';
  readonly sessionId: string;

  constructor(sessionId: string) {
    super(`Session is closed and cannot be modified: '${sessionId}'`);
    this.sessionId = sessionId;
  }
}

/** A write to a session whose time has run out, swept or not. */
export class SessionExpiredError extends SessionError {
  override readonly code = 'LEX_ERR_SES_009';
  readonly sessionId: string;

  constructor(sessionId: string) {
    super(`Session has expired: '${sessionId}'`);
    this.sessionId = sessionId;
  }
}

/** No such checkpoint, or it belongs to somebody else's session. */
export class CheckpointNotFoundError extends SessionError {
  override readonly code = 'LEX_ERR_SES_010';
  readonly checkpointId: string;

  constructor(checkpointId: string) {
    super(`Checkpoint not found: '${shown(checkpointId)}'`);
    this.checkpointId = checkpointId;
  }
}

/** The state machine does not allow this here. */
export class SessionTransitionError extends SessionError {
  override readonly code = 'LEX_ERR_SES_011';
  readonly sessionId: string;
  readonly from: string;
  readonly to: string;

  constructor(sessionId: string, from: string, to: string) {
    super(`Invalid transition for session '${sessionId}': '${from}' → '${to}'`);
    this.sessionId = sessionId;
    this.from = from;
    this.to = to;
  }
}

/** A cap of the configuration is reached: turns, sessions of a user, checkpoints, branches. */
export class SessionCapacityError extends SessionError {
  override readonly code = 'LEX_ERR_SES_012';
  /** The configuration field that names the cap. */
  readonly limit: string;
  readonly max: number;

  constructor(what: string, limit: string, max: number) {
    super(`Session capacity exceeded: ${what}`);
    this.limit = limit;
    this.max = max;
  }
}

/** What a SessionConflictError is about. */
export type ConflictReason =
  | 'head'
  | 'revision'
  | 'turn'
  | 'label'
  | 'operation'
  | 'move'
  | 'session'
  | 'run'
  | 'variables';

/** Somebody else was faster, or the same id was used for something else. Nothing was written. */
export class SessionConflictError extends SessionError {
  override readonly code = 'LEX_ERR_SES_013';
  readonly reason: ConflictReason;
  readonly sessionId: string;
  /** Where the session stands now, if it is known: read on from here and try again. */
  readonly head: ConflictHead | null;
  readonly revision: number | null;

  constructor(
    reason: ConflictReason,
    sessionId: string,
    message: string,
    now?: { readonly head: ConflictHead; readonly revision: number },
  ) {
    super(`Conflict in session '${sessionId}': ${message}`);
    this.reason = reason;
    this.sessionId = sessionId;
    this.head = now?.head ?? null;
    this.revision = now?.revision ?? null;
  }
}

/** The end of a session's history as a conflict reports it. */
export interface ConflictHead {
  readonly timelineId: string;
  readonly seq: number;
  readonly turnId: string | null;
}

/** An argument is not what it has to be. */
export class SessionInputError extends SessionError {
  override readonly code = 'LEX_ERR_SES_014';
  /** Where the fault is, like `turn.usage.inputTokens`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    const place = shown(path);
    super(`Invalid ${place}: ${problem}`, options);
    this.path = place;
  }
}

/** An argument is well formed and past a limit of size, depth or number. */
export class SessionLimitError extends SessionError {
  override readonly code = 'LEX_ERR_SES_015';
  /** The name of the limit. */
  readonly limit: string;
  readonly max: number;
  readonly actual: number;

  constructor(path: string, limit: string, actual: number, max: number, unit = '') {
    const of = unit === '' ? '' : ` ${unit}`;
    super(`Limit exceeded: ${shown(path)} has ${actual}${of}, the limit ${limit} is ${max}${of}`);
    this.limit = limit;
    this.max = max;
    this.actual = actual;
  }
}

/** Why a store could not answer. */
export type UnavailableReason = 'closed' | 'locked' | 'full' | 'read_only' | 'io' | 'unreachable';

/** The store did not answer in time, is full, locked, closed or gone. */
export class SessionStoreUnavailableError extends SessionError {
  override readonly code = 'LEX_ERR_SES_016';
  readonly reason: UnavailableReason;

  constructor(reason: UnavailableReason, message: string, options?: { readonly cause?: unknown }) {
    super(`Session store unavailable (${reason}): ${message}`, options);
    this.reason = reason;
  }
}

/** What the store holds does not fit together. Nothing was skipped or repaired in silence. */
export class SessionCorruptDataError extends SessionError {
  override readonly code = 'LEX_ERR_SES_017';
  /** Where the damage is, like `timeline 'abc.1' seq 7`. */
  readonly place: string;

  constructor(place: string, problem: string, options?: { readonly cause?: unknown }) {
    super(`Corrupt session data at ${place}: ${problem}`, options);
    this.place = place;
  }
}

/** The configuration cannot be used. `issues` has every problem, not only the first. */
export class SessionConfigError extends SessionError {
  override readonly code = 'LEX_ERR_SES_018';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], options?: { readonly cause?: unknown }) {
    const lines = issues.map(({ message, path, place }) =>
      [...(place === undefined ? [] : [shown(place)]), shown(path), message].join(': '),
    );
    const all = lines.length === 1 ? ` ${lines[0]}` : lines.map((line) => `\n  ${line}`).join('');
    super(`Invalid configuration:${all}`, options);
    this.issues = Object.freeze([...issues]);
  }
}

/** One problem of a configuration. */
export interface ConfigIssue {
  /** The field as it is written where it stands, or the name of a variable of the environment. */
  readonly path: string;
  readonly message: string;
  /** File, line and column, like `application.yaml:4:16`, if it stands in a file. */
  readonly place?: string | undefined;
}

/** Another worker holds the lease, or ours was taken over. */
export class SessionLeaseError extends SessionError {
  override readonly code = 'LEX_ERR_SES_019';
  /** Who holds it, if that is known. */
  readonly holder: string | null;

  constructor(
    message: string,
    options?: { readonly cause?: unknown; readonly holder?: string | null },
  ) {
    super(message, options);
    this.holder = options?.holder ?? null;
  }
}

/** This combination of parts cannot do that. */
export class SessionUnsupportedError extends SessionError {
  override readonly code = 'LEX_ERR_SES_020';
}

/** An id as an error message may show it: shortened, and free of control characters. */
function shown(id: unknown): string {
  const text = String(id).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '�');
  return text.length > 140 ? `${text.slice(0, 140).toWellFormed()}…` : text;
}
