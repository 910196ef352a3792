import { createSessions, type TurnInput } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it } from 'vitest';
import type { Acknowledged } from './children/write-until-killed.ts';
import { type Child, startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { query, storedTurns } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { type Random, randomOf } from './kit/random.ts';
import { countOf } from './scale.ts';

const script = new URL('./children/write-until-killed.ts', import.meta.url);
const shared = 'shared';

it('a kill -9 of four processes loses nothing that was acknowledged', async () => {
  const path = temporaryFile();
  await createSession(path, shared);
  const random = randomOf(20_261_123);
  const rounds = countOf('killRounds');
  let acknowledged = 0;
  for (let round = 1; round <= rounds; round++) {
    const names = [1, 2, 3, 4].map((n) => `r${round}p${n}`);
    const children = names.map((name, i) =>
      startChild(script, [path, name, String(round * 10 + i), shared]),
    );
    const acks = await killAll(children, random);
    acknowledged += acks.flatMap((ack) => (ack.did === 'turns' ? ack.turns : [])).length;
    expect(missingFrom(path, acks), `round ${round}`).toEqual([]);
    expect(await faultsIn(path), `round ${round}`).toEqual([]);
    expect(halfBatchesIn(path), `round ${round}`).toEqual([]);
    await expectCleanHistories(path, [shared, ...names]);
  }
  expect(acknowledged).toBeGreaterThanOrEqual(countOf('killAcknowledged'));
});

it('the same check finds what a store loses that answers before it commits', async () => {
  const path = temporaryFile();
  const names = ['p1', 'p2', 'p3', 'p4'];
  const children = names.map((name, i) =>
    // Each on its own session: this store would not even agree with the others on the order.
    startChild(script, [path, name, String(i), name, 'answers-early']),
  );
  const acks = await killAll(children, randomOf(7));
  expect(missingFrom(path, acks)).not.toEqual([]);
});

/** Lets processes write, kills them all at a moment that the seed decides, and answers what they were told. */
async function killAll(children: readonly Child[], random: Random): Promise<Acknowledged[]> {
  const acks: Acknowledged[] = [];
  let open = 0;
  let left = random.between(150, 350);
  const lateUs = random.between(0, 3_000);
  const reading = children.map(async (child) => {
    for await (const ack of child.messages<Acknowledged>()) {
      acks.push(ack);
      if (ack.did === 'open') open += 1;
      if (open < children.length) continue;
      left -= 1;
      if (left === 0) {
        for (const until = performance.now() + lateUs / 1000; performance.now() < until; );
        for (const each of children) each.kill();
      }
    }
    const ended = await child.ended;
    expect(ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
  });
  await Promise.all(reading);
  return acks;
}

/** What was acknowledged and is not there. */
function missingFrom(path: string, acks: readonly Acknowledged[]): string[] {
  const stored = new Set(
    storedTurns(path).map(({ body, seq, sessionId, timeline, turnId }) => {
      const { content } = JSON.parse(body) as TurnInput;
      return `${sessionId}.${timeline} ${seq} ${turnId} ${content}`;
    }),
  );
  const timelines = query<{ id: string }>(
    path,
    `SELECT session_id || '.' || n AS id FROM ai_timelines JOIN ai_sessions s ON s.key = session`,
  );
  const there = new Set(timelines.map((row) => row.id));
  return acks.flatMap((ack): string[] => {
    if (ack.did === 'open') return [];
    if (ack.did === 'fork') return there.has(`${ack.branchId}.1`) ? [] : [`fork ${ack.branchId}`];
    if (ack.did === 'move') return there.has(ack.timelineId) ? [] : [`move to ${ack.timelineId}`];
    return ack.turns
      .map(([seq, turnId]) => `${ack.timelineId} ${seq} ${turnId} ${turnId}`)
      .filter((turn) => !stored.has(turn));
  });
}

/** Batches of which some turns are there and others are not. */
function halfBatchesIn(path: string): string[] {
  const found = new Map<string, { there: number; of: number }>();
  for (const { body } of storedTurns(path)) {
    const { content, metadata } = JSON.parse(body) as TurnInput;
    // An edited turn keeps the metadata of the one whose place it takes.
    if (metadata?.['batch'] === undefined || content === 'edited') continue;
    const { batch, of } = metadata as { batch: string; of: number };
    found.set(batch, { of, there: (found.get(batch)?.there ?? 0) + 1 });
  }
  return [...found].filter(([, { of, there }]) => there !== of).map(([batch]) => batch);
}

/** Reads sessions as a caller does, and writes on. */
async function expectCleanHistories(path: string, names: readonly string[]): Promise<void> {
  const store = await SqliteSessionStore.open(path);
  const { branches, manager } = await createSessions(
    { maxTurnsPerSession: 100_000, maxBranchesPerSession: 1_000 },
    { store },
  );
  for (const name of names) {
    const forks = (await branches.list(name, { limit: 1_000 })).items.map((it) => it.sessionId);
    for (const sessionId of [name, ...forks]) {
      const state = await manager.getState(sessionId, { turns: 'all' });
      const seqs = state.turns.map((turn) => turn.seq);
      expect(seqs).toEqual(Array.from({ length: state.turnCount }, (_, i) => i + 1));
      const { seq } = await manager.addTurn(sessionId, { role: 'user', content: 'and on' });
      expect(seq).toBe(state.turnCount + 1);
    }
  }
  await store.close();
}

async function createSession(path: string, sessionId: string): Promise<void> {
  const store = await SqliteSessionStore.open(path);
  const { manager } = await createSessions({}, { store });
  await manager.create({ userId: 'u', sessionId });
  await store.close();
}
