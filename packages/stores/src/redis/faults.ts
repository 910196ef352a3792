import { isSessionError, SessionStoreUnavailableError } from '@lexigram/ai-session';

/** Thrown where a call was sent and no answer came in time. */
export class NoAnswer extends Error {}

/** Whether a call was sent and nobody knows what became of it. */
export function isLost(error: unknown): boolean {
  return !isSessionError(error) && !isMistake(error) && !isAnswer(error) && !isUnsent(error);
}

/** There was no connection to send it on. */
function isUnsent(error: unknown): boolean {
  const { name } =
    (error as { readonly constructor?: { readonly name?: string } }).constructor ?? {};
  return (
    name === 'ClientOfflineError' || name === 'RootNodesUnavailableError' || isUnknownNode(error)
  );
}

/** A slot is on its way to a node of a cluster that has none yet, so that its client does not know it. */
function isUnknownNode(error: unknown): boolean {
  return /^Cannot find node /.test(String(messageOf(error)));
}

/** Whether nothing was done because a slot is on its way from one node of a cluster to another. */
export function isMoving(error: unknown): boolean {
  return isUnknownNode(error) || (isAnswer(error) && /^TRYAGAIN\b/.test(String(messageOf(error))));
}

/** Whether the same again may go well soon, for what only reads. */
export function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswer) return false;
  if (isLost(error) || isUnsent(error)) return true;
  return (
    isAnswer(error) && /^(LOADING|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)\b/.test(String(messageOf(error)))
  );
}

function messageOf(error: unknown): unknown {
  return (error as { readonly message?: unknown }).message;
}

/** An error in a program. */
function isMistake(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
  );
}

/** Errors that the server answers begin with a word in capitals: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && /^[A-Z]{2,}\b/.test(error.message);
}

/** An error of the client or the server as ours; ours as it is. */
export function toSessionError(cause: unknown): unknown {
  if (isSessionError(cause) || isMistake(cause)) return cause;
  const options = { cause };
  if (cause instanceof NoAnswer) {
    return new SessionStoreUnavailableError('unreachable', cause.message, options);
  }
  if (!isAnswer(cause)) {
    return new SessionStoreUnavailableError(
      'unreachable',
      'the connection to Redis was lost',
      options,
    );
  }
  const word = wordOf(cause as Error);
  switch (word) {
    case 'OOM':
      return new SessionStoreUnavailableError('full', 'Redis has no memory left', options);
    case 'READONLY':
    case 'NOREPLICAS':
      return new SessionStoreUnavailableError('read_only', 'this Redis takes no writes', options);
    case 'MISCONF':
      return new SessionStoreUnavailableError('io', 'Redis cannot write to its disk', options);
    case 'LOADING':
    case 'BUSY':
    case 'CLUSTERDOWN':
    case 'TRYAGAIN':
    case 'MASTERDOWN':
    case 'MOVED':
    case 'ASK':
    case 'NOAUTH':
    case 'WRONGPASS':
    case 'NOPERM':
      return new SessionStoreUnavailableError('unreachable', `Redis refused (${word})`, options);
    default:
      return cause;
  }
}

/** The word with which an answer begins. Servers before 7.0 put what a command in a script was refused with behind the script's line. */
function wordOf({ message }: Error): string {
  const inner = /^ERR Error running script .*?@user_script: ?\d+: -?([A-Z]{2,}) /.exec(message);
  return inner?.[1] ?? message.split(' ', 1)[0] ?? '';
}
