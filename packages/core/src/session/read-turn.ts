import { SessionCorruptDataError } from '../errors.ts';
import type { TurnRow } from '../store/rows.ts';
import { deepFreeze, equalJson } from './json.ts';
import { toUsd } from './money.ts';
import type { TurnDraft } from './parse-turn.ts';
import { readStored } from './read-stored.ts';
import { toIso } from './time.ts';
import type { SessionTurn } from './turn.ts';

/**
 * A stored turn as callers see it, deeply frozen.
 *
 * @throws SessionCorruptDataError if its body is none of a turn
 */
export function readTurn(row: TurnRow): SessionTurn {
  const { priced, ...fields } = parseBody(row);
  const cost = fields.cost ?? priced;
  if (cost !== undefined) fields.cost = toUsd(cost);
  const turn: SessionTurn = {
    turnId: row.turnId,
    seq: row.seq,
    ...fields,
    timestamp: toIso(row.at),
    ...(row.origin === null ? {} : { origin: { ...row.origin } }),
  };
  return deepFreeze(turn);
}

type Body = Omit<SessionTurn, 'turnId' | 'seq' | 'timestamp' | 'origin' | 'cost'> & {
  cost?: number;
  /** A cost that prices filled in: nano-dollars, as `cost` is. */
  priced?: number;
};

function parseBody(row: TurnRow): Body {
  const place = `timeline '${row.timelineId}' seq ${row.seq}`;
  const body = readStored(row.body, place);
  if (typeof body.role === 'string' && body.content !== undefined) return body as unknown as Body;
  throw new SessionCorruptDataError(place, 'the turn has no role or no content');
}

/** A turn that was just written, from what was given and what the store added. */
export function writtenTurn(
  draft: TurnDraft,
  written: { readonly seq: number; readonly at: number },
): SessionTurn {
  return Object.freeze({
    turnId: draft.turnId,
    seq: written.seq,
    ...draft.fields,
    timestamp: toIso(written.at),
  });
}

/** Whether a stored turn says the same as a given one; time, filled-in cost and order of keys do not count. */
export function sameContent(row: TurnRow, draft: TurnDraft): boolean {
  const given = draft.given ?? draft.body;
  if (row.body === given) return true;
  const { priced: _, ...stored } = parseBody(row);
  return equalJson(stored, JSON.parse(given));
}
