import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { FillPlan, PlannedSession } from './plan.ts';
import type { Progress } from './progress.ts';

export interface FillOptions {
  /** Turns of a call. */
  readonly batch?: number;
  /** Sessions that grow at the same time. */
  readonly atOnce?: number;
  /** What is told how far it came. */
  readonly progress?: Pick<Progress, 'add' | 'skip'>;
  /** Ends it after the calls that run; the next fill goes on from there. */
  readonly signal?: AbortSignal;
}

/** The session that says by which plan a store was filled. */
export const markId = 'fill';

/**
 * Fills a store by a plan, through the calls that everybody has. A session is taken up where it stands, so that a fill
 * that was stopped or killed goes on. Answers whether all of the plan is there.
 *
 * @throws RangeError if the store has sessions that are not of this plan
 */
export async function fillStore(
  { manager }: Sessions,
  plan: FillPlan,
  { atOnce = 64, batch = 20, progress, signal }: FillOptions = {},
): Promise<boolean> {
  const goesOn = await isMarked(manager, plan);
  const left = plan.sessions.values();
  const fill = async (): Promise<void> => {
    for (const session of left) {
      if (signal?.aborted) return;
      let stored = await begin(manager, session, goesOn);
      progress?.skip(stored);
      while (stored < session.turns && !signal?.aborted) {
        const turns = plan.turnsOf(session, stored, Math.min(batch, session.turns - stored));
        await manager.addTurns(session.sessionId, turns);
        stored += turns.length;
        progress?.add(turns.length);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, fill));
  return signal?.aborted !== true;
}

type Manager = Sessions['manager'];

/** Whether a fill by this plan began here before. A store that is empty is marked as this plan's. */
async function isMarked(manager: Manager, { fingerprint }: FillPlan): Promise<boolean> {
  const mark = await findState(manager, markId);
  if (mark === null) {
    const { items } = await manager.list({ limit: 1 });
    if (items.length > 0) throw new RangeError('the store has sessions that no fill made');
    await manager.create({ sessionId: markId, userId: markId, metadata: { plan: fingerprint } });
    return false;
  }
  if (mark.metadata['plan'] === fingerprint) return true;
  throw new RangeError(
    'the store was filled by another plan: with other counts, another seed, or other conversations',
  );
}

/** How many turns a session has; made if it is not there. */
async function begin(
  manager: Manager,
  { sessionId, userId }: PlannedSession,
  goesOn: boolean,
): Promise<number> {
  const state = goesOn ? await findState(manager, sessionId) : null;
  if (state === null) await manager.create({ sessionId, userId });
  return state?.turnCount ?? 0;
}

async function findState(manager: Manager, id: string) {
  try {
    return await manager.getState(id);
  } catch (error) {
    if (isSessionError(error) && error.code === 'LEX_ERR_SES_007') return null;
    throw error;
  }
}
