import {
  isSessionError,
  SessionCorruptDataError,
  SessionStoreUnavailableError,
  SessionUnsupportedError,
} from '@lexigram/ai-session';
import { oneLine } from './text.ts';

const elsewhere = '(or use another file: npm start -- --db other.db)';

/** What to tell a person about an error that the tour can meet; null for a fault in the program. */
export function explain(error: unknown, db: string): string | null {
  if (!(error instanceof Error)) return null;
  const message = oneLine(error.message);
  if ('code' in error && error.code === 'ERR_SQLITE_ERROR') {
    return `${oneLine(db)} cannot be used: ${message} ${elsewhere}`;
  }
  if (!isSessionError(error)) return null;
  const ofTheFile =
    error instanceof SessionStoreUnavailableError ||
    error instanceof SessionCorruptDataError ||
    error instanceof SessionUnsupportedError;
  return ofTheFile ? `${message} ${elsewhere}` : message;
}
