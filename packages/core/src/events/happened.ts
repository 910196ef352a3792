import { readCheckpointValue } from '../store/checkpoints.ts';
import { checkpointData, createdData, fullData, moveData } from '../store/journal-data.ts';
import type { Commit, Committed, NewSession } from '../store/port.ts';
import type { RecordRow, SessionHead } from '../store/rows.ts';
import type { Happening } from './happening.ts';
import { type Written, writtenTurns } from './written.ts';

/** What a write added to its session's feed, in the order in which the feed has it. */
export function happened(written: Written): readonly Happening[] {
  const { session } = written;
  if (written.verb === 'erase') return [happening(session, 'deleted', null)];
  const { given, result, verb } = written;
  const rest =
    verb === 'create' ? createdBy(session, given) : committedBy(session, given, result.checkpoints);
  const turns = turnsOf(written, result);
  return rest.length === 0 ? turns : [...turns, ...rest];
}

function happening(session: SessionHead, type: Happening['type'], data: string | null): Happening {
  return { revision: session.revision, type, at: session.updatedAt, data };
}

/** Turns, each with the automatic checkpoint that stands at it. */
function turnsOf(written: Written, result: Committed): readonly Happening[] {
  const { revision } = written.session;
  const items: Happening[] = [];
  for (const [i, turn] of writtenTurns(written).entries()) {
    const at = result.turns[i]?.at ?? 0;
    items.push({ revision, type: 'turn', at, data: null, turn });
    const made = result.checkpoints.find((record) => isAutomaticAt(record, turn.seq));
    if (made === undefined) continue;
    const data = checkpointData(Number(made.key), turn.seq, true);
    items.push({ revision, type: 'checkpoint', at, data });
  }
  return items;
}

function isAutomaticAt(record: RecordRow, seq: number): boolean {
  const { automatic, point } = readCheckpointValue(record);
  return automatic && point.seq === seq;
}

function createdBy(session: SessionHead, given: NewSession): readonly Happening[] {
  const created = happening(session, 'created', createdData(given.parent));
  const full = given.turns.length > 0 && isFull(session);
  return full ? [created, happening(session, 'closed', fullData)] : [created];
}

function committedBy(
  session: SessionHead,
  { append, checkpoint, event, pointer, status }: Commit,
  checkpoints: readonly RecordRow[],
): readonly Happening[] {
  const items: Happening[] = [];
  const appends = append !== undefined && append.timelineId === undefined;
  const mayFill = (appends || pointer?.cap !== undefined) && status === undefined;
  if (mayFill && isFull(session)) {
    items.push(happening(session, 'closed', fullData));
  }
  if (event === undefined) return items;
  const made = checkpoint === undefined ? undefined : checkpoints.at(-1);
  if (made !== undefined) {
    const data = checkpointData(Number(made.key), session.head.seq, false);
    items.push(happening(session, 'checkpoint', data));
  }
  if (pointer !== undefined) {
    items.push(happening(session, 'move', moveData(session.moves, pointer.move, session.head)));
  }
  if (checkpoint === undefined && pointer === undefined) {
    items.push(happening(session, event.type, event.data ?? null));
  }
  return items;
}

/** Whether the cap of turns ended it. Nothing is added to a session that has ended: it was this write that did. */
function isFull({ closedReason, status }: SessionHead): boolean {
  return status === 'closed' && closedReason === 'turn_limit';
}
