import type { SessionConfigInput } from '@lexigram/ai-session';

const hour = 3_600;

/** Configurations with caps so small that runs meet them all the time. */
export const profiles: readonly SessionConfigInput[] = [
  {
    maxTurnsPerSession: 12,
    maxCheckpointsPerSession: 3,
    autoCheckpointInterval: 4,
    maxBranchesPerSession: 3,
    maxSessionsPerUser: 4,
    sessionTtl: hour,
  },
  {
    maxTurnsPerSession: 12,
    onTurnLimit: 'refuse',
    maxCheckpointsPerSession: 3,
    autoCheckpointInterval: 3,
    maxBranchesPerSession: 2,
    maxSessionsPerUser: 4,
    sessionTtl: hour,
    sessionMaxAge: 2 * hour,
    defaultSystemPrompt: 'Be brief.',
  },
  {
    maxTurnsPerSession: 3,
    onTurnLimit: 'refuse',
    maxCheckpointsPerSession: 2,
    autoCheckpointInterval: 2,
    maxBranchesPerSession: 1,
    maxSessionsPerUser: 2,
    sessionTtl: 0,
  },
  {
    // Ten turns on all timelines, and few sessions, so that one gets there.
    maxTurnsPerSession: 1,
    onTurnLimit: 'refuse',
    maxCheckpointsPerSession: 1,
    autoCheckpointInterval: null,
    maxBranchesPerSession: 1,
    maxSessionsPerUser: 1,
    sessionTtl: hour,
  },
  {
    maxTurnsPerSession: 40,
    maxCheckpointsPerSession: 4,
    autoCheckpointInterval: null,
    maxBranchesPerSession: 4,
    maxSessionsPerUser: 2,
    sessionTtl: 0,
    sessionMaxAge: hour,
    defaultSystemPrompt: 'Be kind.',
  },
];
