import type { MemoryConsolidator, SessionConfigInput } from '@lexigram/ai-session';

/** What a process of the soak is told. */
export type SoakOrder =
  | { readonly order: 'use'; readonly id: string; readonly family: string }
  /** It says `leave` once none of its calls to the session is on its way. */
  | { readonly order: 'drop'; readonly id: string };

/** What it says. */
export type SoakWord =
  | { readonly did: 'open' }
  | { readonly did: 'try' | 'refused'; readonly id: string; readonly turns: readonly string[] }
  | {
      readonly did: 'add';
      readonly id: string;
      readonly turns: readonly string[];
      readonly ms: number;
    }
  | { readonly did: 'fork'; readonly id: string; readonly branch: string }
  | { readonly did: 'leave'; readonly id: string }
  | { readonly did: 'error'; readonly name: string }
  | { readonly did: 'fault'; readonly what: string }
  | ({ readonly did: 'measure' } & Usage);

/** What a process holds at a moment: bytes, and how many. How late its clock rang, in ms, tells how busy the machine is. */
interface Usage {
  readonly heap: number;
  readonly rss: number;
  readonly sockets: number;
  readonly timers: number;
  readonly late: number;
}

/** Sessions that nobody writes to run out, and are purged, while the soak goes on. */
export const soakConfig: SessionConfigInput = {
  sessionTtl: 30,
  retention: 10,
  maxTurnsPerSession: 100_000,
  maxBranchesPerSession: 50,
  maxSessionsPerUser: 1_000,
  autoCheckpointInterval: 7,
  maxCheckpointsPerSession: 4,
};

export const consolidator: MemoryConsolidator = {
  async consolidate(_, { session }) {
    const toSeq = session.head.seq;
    if (toSeq === 0) return { memories: [] };
    return { memories: [{ content: `${toSeq} turns`, fromSeq: 1, toSeq }] };
  },
};
