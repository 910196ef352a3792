import { limits } from '../session/limits.ts';
import { readTurn } from '../session/read-turn.ts';
import type { SessionTurn } from '../session/turn.ts';
import type { SessionRow, TurnRow } from '../store/rows.ts';
import type { History } from '../timeline/history.ts';
import type { Engine } from './engine.ts';
import { openHistory } from './moves.ts';

/** The turns from seq `from` to `to` of the history that a session had when its row was read, page by page. */
export async function* readTurns(
  engine: Engine,
  row: SessionRow,
  from: number,
  to: number,
  order: 'asc' | 'desc',
): AsyncGenerator<SessionTurn, void, undefined> {
  if (to < from) return;
  const history = await openHistory(engine, row);
  const size = limits.page;
  if (order === 'asc') {
    for (let at = from; at <= to; at += size) {
      const rows = await readPage(engine, history, row, at, Math.min(to, at + size - 1));
      for (const turn of rows) yield readTurn(turn);
    }
  } else {
    for (let at = to; at >= from; at -= size) {
      const rows = await readPage(engine, history, row, Math.max(from, at - size + 1), at);
      for (const turn of rows.toReversed()) yield readTurn(turn);
    }
  }
}

/** A page of turns; turns that are missing because the session was deleted meanwhile are no damage. */
export function readPage(
  engine: Engine,
  history: History,
  row: SessionRow,
  from: number,
  to: number,
): Promise<readonly TurnRow[]> {
  return engine.whileThere(row.sessionId, () => history.turns(from, to));
}
