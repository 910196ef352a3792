import { SessionNotFoundError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';
import type { SessionRow } from '../store/rows.ts';
import { heldThrough, unconfirmedMs } from './hold.ts';
import { type HoldValue, holdsText, readHolds } from './reach.ts';

/** How often a hold that others write at the same time is read anew. */
const attempts = 8;

/**
 * Holds what a session is going to read beyond what it reads already, as it goes over to turns that another session
 * shows, `throughId`. First the session notes whom it holds, so that its own delete lets go of them.
 *
 * @throws SessionNotFoundError if one of the sessions was deleted meanwhile
 */
export async function holdMore(
  engine: Engine,
  row: SessionRow,
  throughId: string,
  reach: ReadonlyMap<string, HoldValue>,
): Promise<void> {
  const lacking: (readonly [string, HoldValue])[] = [];
  for (const [sessionId, value] of reach) {
    if (!(await isHeld(engine, sessionId, row.sessionId, value))) lacking.push([sessionId, value]);
  }
  if (lacking.length === 0) return;
  const noted = lacking.filter(([id]) => id !== row.parent?.sessionId);
  await engine.commit(row.sessionId, {
    records: noted.map(([key]) => ({ kind: 'held', key, value: '' })),
  });
  for (const [sessionId, value] of lacking) {
    await widen(engine, sessionId, row.sessionId, throughId, value);
  }
}

async function isHeld(
  engine: Engine,
  sessionId: string,
  holderId: string,
  value: HoldValue,
): Promise<boolean> {
  for (const kind of ['branch', 'hold']) {
    const record = await engine.store.record(sessionId, kind, holderId);
    if (record !== null && readHolds(record.value, sessionId).some((held) => covers(held, value)))
      return true;
  }
  return false;
}

function covers(held: HoldValue, value: HoldValue): boolean {
  return (
    held.timelineId === value.timelineId &&
    held.seq >= value.seq &&
    value.chunks.every((chunk) => held.chunks.includes(chunk))
  );
}

async function widen(
  engine: Engine,
  sessionId: string,
  holderId: string,
  throughId: string,
  value: HoldValue,
): Promise<void> {
  const key = holderId;
  for (let attempt = 1; ; attempt++) {
    const guards =
      sessionId === throughId
        ? { owner: engine.owner, records: [] }
        : await heldThrough(engine, sessionId, throughId);
    const record = await engine.store.record(sessionId, 'hold', key);
    const holds = record === null ? [value] : together(readHolds(record.value, sessionId), value);
    const before = { kind: 'hold', key, version: record?.version ?? null };
    const result = await engine.put(sessionId, {
      guards: { ...guards, records: [...guards.records, before] },
      records: [{ kind: 'hold', key, value: holdsText(holds), dueInMs: unconfirmedMs }],
    });
    if (result.refused === undefined) return;
    if (result.refused === 'expected' && attempt < attempts) continue;
    throw new SessionNotFoundError(sessionId);
  }
}

/** Holds with one more; of one timeline the longer history has all that the shorter one has. */
function together(holds: readonly HoldValue[], value: HoldValue): readonly HoldValue[] {
  const same = holds.find(({ timelineId }) => timelineId === value.timelineId);
  if (same === undefined) return [...holds, value];
  const seq = Math.max(same.seq, value.seq);
  const chunks = [...new Set([...same.chunks, ...value.chunks])];
  return holds.map((hold) => (hold === same ? { ...value, seq, chunks } : hold));
}
