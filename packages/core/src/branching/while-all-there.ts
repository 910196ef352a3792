import { SessionCorruptDataError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';

/** How often what only reads begins anew. */
const attempts = 3;

/**
 * Does something with the turns of several sessions; what is missing because one of them was deleted meanwhile is no
 * damage.
 *
 * @param again whether it only reads, so that it may begin anew when another session of the family was deleted
 * @throws SessionNotFoundError if it was one of those that are named
 */
export async function whileAllThere<T>(
  engine: Engine,
  sessionIds: readonly string[],
  again: boolean,
  work: () => Promise<T>,
): Promise<T> {
  const [first, ...others] = sessionIds;
  if (first !== undefined) {
    return engine.whileThere(first, () => whileAllThere(engine, others, again, work));
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SessionCorruptDataError && again) || attempt === attempts) throw error;
    }
  }
}
