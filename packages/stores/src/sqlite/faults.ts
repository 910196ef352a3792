import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  SessionCorruptDataError,
  type SessionError,
  SessionStoreUnavailableError,
} from '@lexigram/ai-session';

/** SQLite's primary result codes that we tell apart: https://sqlite.org/rescode.html */
const code = {
  /** Of our fixed statements: a table or a column is missing. */
  error: 1,
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const;

function primaryCode(error: unknown): number | null {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  return typeof errcode === 'number' ? errcode & 0xff : null;
}

/** Whether another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const primary = primaryCode(error);
  return primary === code.busy || primary === code.locked;
}

/** Undoes a transaction, if there is one: a full disk has ended it already. */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK');
  } catch (error) {
    // Node before 22.16 cannot tell whether a transaction is open; SQLite says so when asked to end it.
    if (primaryCode(error) !== 1) throw error;
  }
}

/** Whether the engine itself failed, so that the same again for another caller would fail too. */
export function isEngineFault(error: unknown): boolean {
  const primary = primaryCode(error);
  return primary !== null && primary !== 1 && primary !== 19;
}

/** An error of SQLite as ours; anything else as it is. */
export function toSessionError(error: unknown, path: string): unknown {
  return faultOf(error, path) ?? error;
}

function faultOf(cause: unknown, path: string): SessionError | null {
  const options = { cause };
  switch (primaryCode(cause)) {
    case code.busy:
    case code.locked:
      return new SessionStoreUnavailableError('locked', `'${path}' is locked; try again`, options);
    case code.readOnly:
      return readOnly(path, options);
    case code.ioError:
      return new SessionStoreUnavailableError('io', `reading or writing '${path}' failed`, options);
    case code.full:
      return new SessionStoreUnavailableError(
        'full',
        `the disk of '${path}' is full; free some space and try again`,
        options,
      );
    case code.cantOpen:
      // A file that is there, in a folder that cannot take the log beside it.
      if (isFile(path) && !isWritable(dirname(path))) return readOnly(path, options);
      return new SessionStoreUnavailableError(
        'unreachable',
        `'${path}' cannot be opened; check that its folder exists and may be written`,
        options,
      );
    case code.error:
      return new SessionCorruptDataError(
        `database '${path}'`,
        'its tables are not those that its schema version has',
        options,
      );
    case code.corrupt:
      return new SessionCorruptDataError(`database '${path}'`, 'the file is damaged', options);
    case code.notADatabase:
      return new SessionCorruptDataError(
        `database '${path}'`,
        'the file is no SQLite database',
        options,
      );
    default:
      return null;
  }
}

function readOnly(path: string, options: { readonly cause: unknown }): SessionError {
  return new SessionStoreUnavailableError(
    'read_only',
    `'${path}' cannot be written; check its permissions and those of its folder`,
    options,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
