import { SessionInputError, SessionLimitError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import { openHistory } from '../manager/moves.ts';
import { refusalError } from '../manager/refusal-error.ts';
import { checkName } from '../session/ids.ts';
import { limits } from '../session/limits.ts';
import { readStored } from '../session/read-stored.ts';
import { SessionStateMachine } from '../session/state-machine.ts';
import type { OperationKey } from '../store/port.ts';
import type { History } from '../timeline/history.ts';

const kind = 'pin';

/** Pins a turn of the current history. @throws SessionInputError, SessionLimitError past the limit of pins */
export async function pinTurn(
  engine: Engine,
  sessionId: string,
  turnId: unknown,
  operation: OperationKey | undefined,
): Promise<void> {
  const key = checkName(turnId, 'turnId');
  if ((await engine.recall(sessionId, operation)) !== null) return;
  const history = await openHistory(engine, await engine.session(sessionId));
  const turn = await history.find(key);
  if (turn === null) {
    throw new SessionInputError('turnId', `the history of '${sessionId}' has no turn '${key}'`);
  }
  const value = JSON.stringify({ timelineId: turn.timelineId, seq: turn.seq });
  const result = await engine.try(sessionId, {
    guards: {
      status: SessionStateMachine.allowed.write,
      counts: [{ kind, max: limits.pins }],
    },
    records: [{ kind, key, value }],
    ...(operation === undefined ? {} : { operation }),
  });
  if (result.refused === undefined) return;
  if (result.refused === 'cap') {
    throw new SessionLimitError(
      `session '${sessionId}'`,
      'pins',
      result.actual,
      limits.pins,
      'pins',
    );
  }
  throw refusalError(sessionId, result, 'active');
}

/** Unpins a turn; one that is not pinned stays so. */
export async function unpinTurn(
  engine: Engine,
  sessionId: string,
  turnId: unknown,
  operation: OperationKey | undefined,
): Promise<void> {
  const key = checkName(turnId, 'turnId');
  await engine.commit(sessionId, {
    guards: { status: SessionStateMachine.allowed.write },
    records: [{ kind, key, delete: true }],
    ...(operation === undefined ? {} : { operation }),
  });
}

/** The pinned turns that a history shows, with their seqs; the others wait for a move that brings them back. */
export async function readPins(
  engine: Engine,
  sessionId: string,
  history: History,
): Promise<ReadonlyMap<string, number>> {
  const records = await engine.store.records(sessionId, kind, { limit: limits.pins });
  const pins = new Map<string, number>();
  for (const { key, value } of records) {
    const place = readStored(value, `the pin '${key}' of session '${sessionId}'`);
    const turn = { timelineId: String(place.timelineId), seq: Number(place.seq) };
    if (await history.has(turn)) pins.set(key, turn.seq);
  }
  return pins;
}
