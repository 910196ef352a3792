// biome-ignore-all format: the README shows it like this
// #region first-session
import { createSessions } from '@lexigram/ai-session';

await using sessions = await createSessions({ backend: 'database', database: { url: 'sqlite:sessions.db' } });
const s = await sessions.manager.create({ userId: 'user-42', metadata: { topic: 'support' } });
await sessions.manager.addTurn(s.sessionId, { role: 'user', content: 'Hello!' });
const cp = await sessions.manager.checkpoint(s.sessionId, { label: 'greeted' });
const alt = await sessions.branches.fork(s.sessionId, 'friendlier', { fromCheckpoint: cp.checkpointId });
console.log(`${alt.branchName} starts after turn ${alt.forkSeq} of ${alt.parentSessionId}`);
// #endregion
