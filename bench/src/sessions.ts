import { join } from 'node:path';
import { createSessions, type SessionConfigInput, type Sessions } from '@lexigram/ai-session';

/** Sessions in a SQLite file as anybody would open them; what `config` leaves out has its default. */
export function openSessions(
  directory: string,
  name: string,
  synchronous: 'full' | 'normal',
  config: SessionConfigInput = {},
): Promise<Sessions> {
  return createSessions({
    backend: 'database',
    database: { url: `sqlite:${join(directory, name)}`, synchronous },
    ...config,
  });
}

/** Caps high enough that no benchmark meets one. */
export const noCaps: SessionConfigInput = {
  maxTurnsPerSession: 1_000_000,
  maxSessionsPerUser: 1_000_000,
  maxBranchesPerSession: 100_000,
  maxCheckpointsPerSession: 100_000,
};

let users = 0;

/** A new session of a user of its own; answers its id. */
export async function newSession(sessions: Sessions): Promise<string> {
  users += 1;
  const { sessionId } = await sessions.manager.create({ userId: `user-${users}` });
  return sessionId;
}
