import type { Engine } from '../manager/engine.ts';
import type { RecordWrite } from '../store/port.ts';

/**
 * Marks a session whose time has run out, and tells of it. The store judges whether it has, and lets one of several
 * do it; false if somebody else was faster, or the time is not up.
 */
export async function expire(engine: Engine, sessionId: string): Promise<boolean> {
  const { retention } = engine.config;
  const result = await engine.put(sessionId, {
    status: { to: 'expired' },
    event: { type: 'expired' },
    ...(retention === null ? {} : { records: [purgeRecord(retention)] }),
  });
  return result.refused === undefined;
}

/** The record by which an expired session is purged after its time. */
function purgeRecord(retention: number): RecordWrite {
  return { kind: 'purge', key: '', value: '', dueInMs: retention * 1000 };
}
