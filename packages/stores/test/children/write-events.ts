// Four writers change shared sessions in every way, and say each thing they did, until they did what they were asked.
import { createSessions, SessionConflictError, SessionInputError } from '@lexigram/ai-session';
import { openUrl } from '../kit/open-url.ts';
import { randomOf } from '../kit/random.ts';
import { leave, say } from './talk.ts';

const [url = '', name = '', seed = '', wanted = '', ...ids] = process.argv.slice(2);
const store = await openUrl(url);
const { checkpoints, manager } = await createSessions(
  { maxTurnsPerSession: 1_000_000, autoCheckpointInterval: 7, maxCheckpointsPerSession: 20 },
  { store },
);
const random = randomOf(Number(seed));
let left = Number(wanted);
let made = 0;

function turn() {
  made += 1;
  const given = { turnId: `${name}-${made}`, role: 'user' as const, content: `${made}` };
  // Some are dated by who said them, long ago.
  return made % 5 === 0 ? { ...given, timestamp: '2020-02-02T20:20:20Z' } : given;
}

async function change(sessionId: string): Promise<unknown> {
  const dice = random.between(1, 100);
  if (dice <= 60) return manager.addTurn(sessionId, turn());
  if (dice <= 75) return manager.addTurns(sessionId, [turn(), turn(), turn()]);
  if (dice <= 82) return manager.setVariables(sessionId, { [name]: made });
  if (dice <= 87) return manager.setMetadata(sessionId, { last: made });
  if (dice <= 91) return checkpoints.create(sessionId);
  const { turnCount } = await manager.getState(sessionId);
  if (dice <= 96) return manager.rewind(sessionId, { toSeq: Math.max(0, turnCount - 2) });
  return manager.undo(sessionId);
}

async function write(): Promise<void> {
  while (left > 0) {
    left -= 1;
    try {
      await change(random.pick(ids));
    } catch (error) {
      // Others moved the session all the while, it is shorter by now, or there is nothing to undo.
      const raced =
        (error instanceof SessionConflictError && error.reason === 'move') ||
        (error instanceof SessionInputError && error.path === 'target.toSeq');
      if (!raced) throw error;
    }
    say({ did: 1 });
  }
}

say({ did: 'open' });
await Promise.all([write(), write(), write(), write()]);
say({ did: 'all' });
await store.close();
leave();
