import { SessionCorruptDataError } from '../errors.ts';
import { checkpointId } from '../session/ids.ts';
import { deepFreeze } from '../session/json.ts';
import { readStored } from '../session/read-stored.ts';
import { readTurn } from '../session/read-turn.ts';
import { toIso } from '../session/time.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { ChangeType, FeedItem, Owner } from '../store/rows.ts';
import type { SessionEvent } from './session-event.ts';

/** One item of a session's feed, whether it was read or has just been written. */
export interface Happening {
  readonly revision: number;
  readonly type: ChangeType | 'turn';
  /** Milliseconds. */
  readonly at: number;
  /** JSON of what the type has to tell. */
  readonly data: string | null;
  /** Of type `turn`. */
  readonly turn?: SessionTurn;
}

export interface WhoseSession {
  readonly sessionId: string;
  readonly owner: Owner;
}

export function readHappening(item: FeedItem): Happening {
  const { at, revision, type } = item;
  return item.type === 'turn'
    ? { revision, type, at, data: null, turn: readTurn(item.turn) }
    : { revision, type, at, data: item.data };
}

/** The type of the event that tells of it. */
export function eventType({ type }: Happening): SessionEvent['type'] {
  if (type === 'expired') return 'closed';
  return type === 'turns' ? 'changed' : type;
}

/** @throws SessionCorruptDataError if what the store holds of it is unreadable */
export function toEvent(
  happening: Happening,
  { owner, sessionId }: WhoseSession,
  cursor: string,
): SessionEvent {
  const { at, revision } = happening;
  const type = eventType(happening);
  const event = {
    type,
    sessionId,
    tenantId: owner.tenantId,
    userId: owner.userId,
    revision,
    at: toIso(at),
    cursor,
    ...details(happening, sessionId),
  };
  // A turn is frozen already, and the rest has no depth but a move's head.
  return (type === 'move' ? deepFreeze(event) : Object.freeze(event)) as SessionEvent;
}

function details(happening: Happening, sessionId: string): object {
  const { data, turn, type } = happening;
  switch (type) {
    case 'turn':
      return { turn };
    case 'created': {
      const parent = data === null ? noParent : read(data, happening, sessionId);
      const { branchName, forkSeq, parentSessionId } = parent;
      return { parentSessionId, branchName, forkSeq };
    }
    case 'closed':
      return { status: 'closed', reason: read(data, happening, sessionId).reason ?? null };
    case 'expired':
      return { status: 'expired', reason: null };
    case 'checkpoint': {
      const { automatic, n, seq } = read(data, happening, sessionId);
      return { checkpointId: checkpointId(sessionId, n as number), seq, automatic };
    }
    case 'checkpoint_deleted': {
      const { n } = read(data, happening, sessionId);
      return { checkpointId: checkpointId(sessionId, n as number) };
    }
    case 'move': {
      const { move, to } = read(data, happening, sessionId);
      return { move, head: to };
    }
    default:
      return {};
  }
}

const noParent = { parentSessionId: null, branchName: null, forkSeq: null };

function read(
  data: string | null,
  { revision }: Happening,
  sessionId: string,
): Record<string, unknown> {
  const place = `the journal of session '${sessionId}' at revision ${revision}`;
  if (data === null) throw new SessionCorruptDataError(place, 'it has no data');
  return readStored(data, place);
}
