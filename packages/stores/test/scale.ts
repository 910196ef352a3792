interface Counts {
  readonly few: number;
  readonly all: number;
  /** Where `chaos` takes longer still. */
  readonly chaos?: number;
}

/** The counts of these tests: few for `npm test`, all for `LEX_TEST_SCALE=full` (and `chaos`). */
const counts = {
  /** Rounds of kill -9 over four processes, and turns that must have been acknowledged in all of them. */
  killRounds: { few: 4, all: 30 },
  killAcknowledged: { few: 600, all: 5_000 },
  /** Turns of each of four processes into one session. */
  turnsPerWriter: { few: 50, all: 500 },
  /** Rounds of sixteen writers with the same `expectedHead`. */
  headRounds: { few: 25, all: 500 },
  /** Milliseconds that four processes write for, once for each number of callers. */
  fairnessMs: { few: 1_000, all: 10_000 },
  /** Processes that open an empty file at once, and how often. */
  starters: { few: 8, all: 20 },
  starts: { few: 2, all: 10 },
  /** Statements at which a process is really killed; all of them are tried on copies of the files. */
  crashKills: { few: 4, all: Number.POSITIVE_INFINITY },
  /** Runs against the plain model, each call of which is a round through a network. */
  postgresModelRuns: { few: 20, all: 200 },
  redisModelRuns: { few: 20, all: 200 },
  clusterModelRuns: { few: 20, all: 200 },
  /** Turns that 32 writers in four processes add to 64 sessions and a hot one. */
  spreadTurns: { few: 320, all: 20_000 },
  /** Kills of a server under load, and turns that must have been acknowledged in all. */
  serverKills: { few: 2, all: 20 },
  serverAcknowledged: { few: 400, all: 50_000 },
  /** Keys of which five copies are sent each, and kills of the process that sends them. */
  repeatedKeys: { few: 20, all: 1_000 },
  repeatKills: { few: 1, all: 10 },
  /** Rounds of one delete against eight appends. */
  deleteRaces: { few: 15, all: 300 },
  /** Forks taken while eight writers append. */
  forksWhileWriting: { few: 12, all: 500 },
  /** Races of a turn against the sweep at the edge of expiry. */
  expiryRaces: { few: 50, all: 2_000 },
  /** Processes killed before, in and after a consolidation: a multiple of four. */
  consolidationKills: { few: 4, all: 100 },
  /** Processes stopped in the middle of a consolidation, and overtaken. */
  consolidationStops: { few: 3, all: 50 },
  /** Sessions that have run out, for twenty sweepers in four processes. */
  sweptTogether: { few: 60, all: 1_000 },
  /** Commits before or after which a group's process is killed. */
  groupKills: { few: 2, all: Number.POSITIVE_INFINITY },
  /** Rounds of kill -9 over processes that write and sum up at once. */
  compactionKills: { few: 2, all: 50 },
  /** Moments at which it is killed. */
  groupMoments: { few: 2, all: 100 },
  /** Rounds in which it is stopped, overtaken, and goes on. */
  groupStops: { few: 3, all: 50 },
  /** Runs of several connections at random beside a plain sum. */
  reportRuns: { few: 4, all: 100 },
  /** Rounds of kill -9 over processes that spend, delete and report. */
  spendingRounds: { few: 1, all: 20 },
  /** What eight writers do while two processes follow them, and kills of both. */
  followedChanges: { few: 400, all: 20_000 },
  followerKills: { few: 2, all: 10 },
  /** Families that are written to, forked, merged, moved and deleted at random; a fifth of them in SQLite. */
  interleavings: { few: 30, all: 1_000 },
  /** The same in each store behind a network. */
  networkInterleavings: { few: 2, all: 100 },
  /** How often a Redis is killed under writers. */
  redisKills: { few: 3, all: 20 },
  /** How often a master of a cluster is killed or stopped under writers. */
  clusterFaults: { few: 2, all: 10 },
  /** How often a node of a cluster is added, given slots that are written to, and removed. */
  slotMoves: { few: 1, all: 10 },
  /** Sessions that must stand untouched by an erase of a hostile id. */
  bystanders: { few: 100, all: 1_000 },
  /** Milliseconds that a store is worked on at random, with faults on the way. */
  soakMs: { few: 1_500, all: 60_000, chaos: 180_000 },
} as const satisfies Record<string, Counts>;

const given = process.env['LEX_TEST_SCALE'];
if (given !== undefined && given !== 'full' && given !== 'chaos') {
  throw new Error(`LEX_TEST_SCALE is '${given}'; expected 'full' or 'chaos'`);
}

/** Whether the counts are those of the promises. */
export const isFull: boolean = given !== undefined;

export function countOf(name: keyof typeof counts): number {
  const { all, chaos = all, few }: Counts = counts[name];
  if (given === 'chaos') return chaos;
  return isFull ? all : few;
}
