import { checkpointId } from '../session/ids.ts';
import { deepFreeze, type JsonObject } from '../session/json.ts';
import { toUsd } from '../session/money.ts';
import type { SessionPosition } from '../session/state.ts';
import { toIso } from '../session/time.ts';
import { readCheckpointValue } from '../store/checkpoints.ts';
import type { RecordRow } from '../store/rows.ts';

/** An immutable named point of a session, with the variables there. */
export interface SessionCheckpoint {
  readonly checkpointId: string;
  readonly sessionId: string;
  /** Null if it has none. */
  readonly label: string | null;
  /** Whether it was made by `autoCheckpointInterval`. */
  readonly automatic: boolean;
  readonly metadata: JsonObject;
  readonly head: SessionPosition;
  readonly turnCount: number;
  /** Sums over the history up to here; USD. */
  readonly totalTokens: number;
  readonly totalCost: number;
  readonly createdAt: string;
}

export function readCheckpoint(sessionId: string, record: RecordRow): SessionCheckpoint {
  const { automatic, metadata, point } = readCheckpointValue(record);
  return deepFreeze({
    checkpointId: checkpointId(sessionId, Number(record.key)),
    sessionId,
    label: record.label,
    automatic,
    metadata: (metadata ?? {}) as JsonObject,
    head: { timelineId: point.timelineId, seq: point.seq, turnId: point.turnId },
    turnCount: point.seq,
    totalTokens: point.tokens,
    totalCost: toUsd(point.cost),
    createdAt: toIso(record.createdAt),
  });
}
