import { SessionCorruptDataError } from '../errors.ts';
import type { Engine } from '../manager/engine.ts';

/** How often what only reads begins anew. */
const attempts = 3;

/**
 * Does something with the turns of sessions that others may delete meanwhile: what is missing then is no damage.
 *
 * @param again whether it only reads, so that it may begin anew when another session of the family was deleted
 * @throws SessionNotFoundError if it was one of those that are named
 */
export async function whileThere<T>(
  engine: Engine,
  sessionIds: readonly string[],
  again: boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SessionCorruptDataError)) throw error;
      for (const id of sessionIds) await engine.session(id);
      if (!again || attempt === attempts) throw error;
    }
  }
}
