// Writes turns, batches, forks and moves at random, and says what was acknowledged, until it is killed.
import { createSessions, type Sessions, type TurnInput } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { answersEarly } from '../broken/answers-early-store.ts';
import { randomOf } from '../kit/random.ts';
import { say } from './talk.ts';

/** What a process was told. A turn is `[seq, turnId]`, and its content is its id. */
export type Acknowledged =
  | { readonly did: 'open' }
  | {
      readonly did: 'turns';
      readonly timelineId: string;
      readonly turns: readonly [seq: number, turnId: string][];
    }
  | { readonly did: 'fork'; readonly branchId: string; readonly seq: number }
  | { readonly did: 'move'; readonly timelineId: string; readonly revision: number };

const [path = '', name = '', seed = '', shared = '', twin] = process.argv.slice(2);
const random = randomOf(Number(seed));
const below = await SqliteSessionStore.open(path, { lockTimeoutMs: 30_000 });
const store = twin === 'answers-early' ? answersEarly(below) : below;
const sessions: Sessions = await createSessions(
  {
    maxTurnsPerSession: 100_000,
    maxSessionsPerUser: 100_000,
    maxBranchesPerSession: 1_000,
    autoCheckpointInterval: 5,
    maxCheckpointsPerSession: 20,
  },
  { store },
);
const { branches, checkpoints, manager } = sessions;
const own = (await manager.create({ userId: name, sessionId: name })).sessionId;
let branch: string | null = null;
let made = 0;
say({ did: 'open' } satisfies Acknowledged);

function newTurn(more?: Partial<TurnInput>): TurnInput {
  made += 1;
  const turnId = `${name}-${made}`;
  const usage = { inputTokens: made, outputTokens: 2 };
  return { turnId, role: 'user', content: turnId, usage, cost: 0.000_001 * made, ...more };
}

function told(timelineId: string, turns: readonly { seq: number; turnId: string }[]): void {
  const each = turns.map(({ seq, turnId }): [number, string] => [seq, turnId]);
  say({ did: 'turns', timelineId, turns: each } satisfies Acknowledged);
}

async function addTurn(sessionId: string): Promise<void> {
  const { head, turn } = await manager.addTurn(sessionId, newTurn());
  told(head.timelineId, [turn]);
}

async function addBatch(): Promise<void> {
  const size = random.between(2, 6);
  const batch = { batch: `${name}-${made}`, of: size };
  const turns = Array.from({ length: size }, () => newTurn({ metadata: batch }));
  const added = await manager.addTurns(own, turns, { variables: { [`k${made % 7}`]: made } });
  told(added.head.timelineId, added.turns);
}

async function fork(): Promise<void> {
  const { head } = await manager.getState(own);
  const seq = random.between(0, head.seq);
  const made = await branches.fork(own, 'b', { atSeq: seq });
  branch = made.sessionId;
  say({ did: 'fork', branchId: branch, seq } satisfies Acknowledged);
}

async function move(): Promise<void> {
  const { head } = await manager.getState(own);
  const { items } = await checkpoints.list(own);
  const kind = random.between(0, 3);
  const last = items.at(-1);
  const state =
    kind === 0 && last !== undefined
      ? await manager.restore(last.checkpointId)
      : kind === 1 && head.turnId !== null
        ? await manager.edit(own, head.turnId, 'edited')
        : await manager.rewind(own, { toSeq: random.between(0, head.seq) });
  moved(state);
  if (kind !== 3) return;
  moved(await manager.undo(own));
  if (random.between(0, 1) === 1) moved(await manager.redo(own));
}

function moved(state: { head: { timelineId: string }; revision: number }): void {
  const { head, revision } = state;
  say({ did: 'move', timelineId: head.timelineId, revision } satisfies Acknowledged);
}

for (;;) {
  const dice = random.between(1, 100);
  if (dice <= 30) await addTurn(own);
  else if (dice <= 60) await addTurn(shared);
  else if (dice <= 75) await addBatch();
  else if (dice <= 80) await fork();
  else if (dice <= 88) await move();
  else if (branch !== null && dice <= 94) await addTurn(branch);
  // Several of one tick share a commit.
  else await Promise.all([addTurn(own), addTurn(shared), addTurn(branch ?? own), addBatch()]);
}
