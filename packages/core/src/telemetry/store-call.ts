import { toSnakeCase } from '../config/fields.ts';
import { parseTimelineId } from '../session/ids.ts';
import type { Commit, CommitResult, EraseRequest, EraseResult, NewSession } from '../store/port.ts';
import type { Segment, VariablesVersion } from '../store/rows.ts';

/** One call of the store as those who watch it see it. */
export interface StoreCall {
  /** What it is about: `add_turns`, `restore`, `close`; a read is `read_turns`, `read_session`. */
  readonly name: string;
  readonly isRead: boolean;
  /** The session, if it is about one. */
  readonly sessionId: string | undefined;
  readonly verb: string;
  /** The arguments, as the store gets them. */
  readonly args: readonly unknown[];
}

/** The call that a method of the port with its arguments is. */
export function toStoreCall(verb: string, args: readonly unknown[]): StoreCall {
  const call = { isRead: false, sessionId: sessionIdOf(verb, args), verb, args };
  switch (verb) {
    case 'create':
      return { ...call, name: (args[0] as NewSession).parent === null ? 'create' : 'fork' };
    case 'commit':
      return { ...call, name: nameOf(args[1] as Commit) };
    case 'erase':
      return { ...call, name: (args[1] as EraseRequest).staged === undefined ? 'delete' : 'drop' };
    case 'collect':
      return { ...call, name: verb };
    default:
      return { ...call, name: `read_${toSnakeCase(verb)}`, isRead: true };
  }
}

/** Ids of timelines carry that of their session. */
function sessionIdOf(verb: string, [first, second]: readonly unknown[]): string | undefined {
  switch (verb) {
    case 'create':
      return (first as NewSession).sessionId;
    case 'timelines':
      return ofTimeline((first as readonly string[])[0]);
    case 'turns':
      return ofTimeline((first as readonly Segment[]).at(-1)?.timelineId);
    case 'variables':
      return ofTimeline((first as VariablesVersion).timelineId);
    case 'findTurns':
      return (second as readonly string[])[0];
    default:
      return typeof first === 'string' ? first : undefined;
  }
}

function ofTimeline(id: string | undefined): string | undefined {
  return id === undefined ? undefined : parseTimelineId(id).sessionId;
}

const statusNames = {
  active: 'resume',
  suspended: 'suspend',
  closed: 'close',
  expired: 'expire',
} as const;
const eventNames: Readonly<Record<string, string>> = {
  variables: 'set_variables',
  metadata: 'set_metadata',
  checkpoint_deleted: 'delete_checkpoint',
};

function nameOf({ append, checkpoint, event, pointer, records, status }: Commit): string {
  if (pointer !== undefined) return pointer.move;
  if (status !== undefined) return statusNames[status.to];
  if (append !== undefined) return append.timelineId === undefined ? 'add_turns' : 'stage_turns';
  if (checkpoint !== undefined) return 'checkpoint';
  if (event !== undefined) return eventNames[event.type] ?? event.type;
  return records === undefined ? 'recall' : 'keep_records';
}

/** What a write answered, if it was one: a refusal by its word, `repeat` of an operation, or done. */
export function outcomeOf({ verb }: StoreCall, answer: unknown): string {
  if (verb === 'erase') return (answer as EraseResult).found ? 'done' : 'unknown';
  if (verb !== 'create' && verb !== 'commit') return 'done';
  const result = answer as CommitResult;
  if (result.refused !== undefined) return result.refused;
  return result.replayed ? 'repeat' : 'done';
}
