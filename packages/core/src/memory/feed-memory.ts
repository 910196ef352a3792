import { type Written, writtenTurns } from '../events/written.ts';
import type { WorkingMemory } from './working-memory.ts';

/**
 * Gives a working memory each turn that was written, in order. What a session moved away from, and what has ended,
 * is forgotten. Answers a promise only if the memory does, so that whoever tells of the write can report what fails.
 */
export function feedMemory(memory: WorkingMemory, written: Written): Promise<unknown> | undefined {
  const { owner, sessionId, status } = written.session;
  const answers: unknown[] = [];
  const moved = written.verb === 'commit' && written.given.pointer !== undefined;
  if (moved) answers.push(memory.flush(sessionId));
  if (addsTurns(written)) {
    for (const turn of writtenTurns(written)) {
      answers.push(memory.add(Object.freeze({ sessionId, ...owner, turn })));
    }
  }
  const gone = written.verb === 'erase' || (status !== 'active' && status !== 'suspended');
  if (gone) answers.push(memory.flush(sessionId));
  const open = answers.filter((answer) => answer instanceof Promise);
  return open.length === 0 ? undefined : Promise.all(open);
}

function addsTurns(written: Written): boolean {
  if (written.verb === 'create') return written.given.turns.length > 0;
  return written.verb === 'commit' && written.given.append !== undefined;
}
