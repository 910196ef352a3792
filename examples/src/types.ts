import assert from 'node:assert/strict';
import { createSessions } from '@lexigram/ai-session';

// #region types
await using sessions = await createSessions<{
  metadata: { topic: string };
  variables: { seats: number; train?: string };
}>({ sessionTtl: 3_600, autoCheckpointInterval: 25 });
const { variables } = await sessions.manager.create({
  userId: 'ada',
  metadata: { topic: 'travel' },
  variables: { seats: 2 },
});
const seats: number = variables.seats;
// #endregion
assert.equal(seats, 2);
