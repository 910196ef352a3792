import type { TurnDraft } from '../session/parse-turn.ts';
import { readTurn, writtenTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { Commit, Committed, NewSession, NewTurn } from '../store/port.ts';
import type { SessionHead } from '../store/rows.ts';

/**
 * One write that a store has made durable, as all services tell of it: what was asked for, and what came of it.
 * Refusals, repeats and operations answered as before write nothing and are not told. Also told are the commits
 * that nobody sees in the feed (holds, leases, staging): those have no `event` and append to no current timeline.
 */
export type Written =
  | {
      readonly verb: 'create';
      readonly session: SessionHead;
      readonly given: NewSession;
      readonly result: Committed;
    }
  | {
      readonly verb: 'commit';
      readonly session: SessionHead;
      readonly given: Commit;
      readonly result: Committed;
    }
  /** The session as it was, at the revision and the time of its end. */
  | { readonly verb: 'erase'; readonly session: SessionHead };

/** The turns that a write added to the session's current timeline, as callers see them; none for a merge's copies. */
export function writtenTurns(written: Written): readonly SessionTurn[] {
  if (written.verb === 'erase') return [];
  const { given, result, session, verb } = written;
  if (verb === 'commit' && given.append?.timelineId !== undefined) return [];
  const turns = verb === 'create' ? given.turns : (given.append?.turns ?? []);
  return turns.map((turn, i) =>
    toTurn(session, turn, result.turns[i] as { seq: number; at: number }),
  );
}

function toTurn(
  { head }: SessionHead,
  turn: NewTurn | TurnDraft,
  written: { readonly seq: number; readonly at: number },
): SessionTurn {
  if ('fields' in turn) return writtenTurn(turn, written);
  const { body, cost, tokens, turnId } = turn;
  const { timelineId } = head;
  const origin = turn.origin ?? null;
  const row = { timelineId, turnId, body, tokens, cost, origin, ...written };
  return readTurn({ ...row, revision: null, checkpoint: null });
}
