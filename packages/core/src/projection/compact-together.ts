import type { Engine } from '../manager/engine.ts';
import type { SessionStore } from '../store/port.ts';
import type { SessionRow } from '../store/rows.ts';
import { bareStore } from '../telemetry/observe-store.ts';
import { compactSession } from './compact.ts';
import type { Overlay } from './overlay.ts';
import type { ParsedCompaction } from './parse-compaction.ts';

const underWay = new WeakMap<SessionStore, Map<string, Promise<Overlay | null>>>();

/** Compacts a session; who asks for it while it is being done in this process waits for the same summary. */
export function compactTogether(
  engine: Engine,
  row: SessionRow,
  options: ParsedCompaction,
): Promise<Overlay | null> {
  let sessions = underWay.get(bareStore(engine.store));
  if (sessions === undefined) {
    sessions = new Map();
    underWay.set(bareStore(engine.store), sessions);
  }
  const { sessionId } = row;
  const running = sessions.get(sessionId);
  if (running !== undefined) return running;
  const made = compactSession(engine, row, options).finally(() => sessions.delete(sessionId));
  sessions.set(sessionId, made);
  return made;
}
