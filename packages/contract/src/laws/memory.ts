import assert from 'node:assert/strict';
import {
  type ConsolidationRun,
  type MemoryConsolidator,
  SessionMemory,
} from '@lexigram/ai-session';
import type { Law, LawBench } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { sessionOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** As it is written with the end of a session that owes it. */
const owed = {
  kind: 'consolidation',
  key: '',
  value: JSON.stringify({
    state: 'owed',
    attempts: 0,
    lastError: null,
    memories: 0,
    statistics: null,
  }),
  dueInMs: 0,
};

/** Ends a session that owes its consolidation in the same effect. */
async function endOwing({ store }: LawBench, sessionId: string): Promise<void> {
  const event = { type: 'closed', data: '{"reason":null}' } as const;
  const result = await store.commit(sessionId, { status: { to: 'closed' }, event, onEnd: [owed] });
  assert.equal(result.refused, undefined);
}

/** Long enough for signs of life of a slow machine. */
const leaseMs = 1_500;

interface Worker {
  readonly memory: SessionMemory;
  readonly runs: ConsolidationRun[];
  /** Ends the runs that are on their way. */
  release(): void;
}

/** A worker whose consolidator waits until it is released, if it is told to wait. */
function workerOn({ store }: LawBench, text: string, waits = false, leaseMs = 600_000): Worker {
  const runs: ConsolidationRun[] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const consolidator: MemoryConsolidator = {
    leaseMs,
    async consolidate(entries, run) {
      runs.push(run);
      let last = 0;
      for await (const { turn } of entries) last = turn.seq;
      if (waits) await released;
      return { memories: [{ content: text, fromSeq: 1, toSeq: last }] };
    },
  };
  const memory = new SessionMemory({ store }, { consolidator, onFailure: () => {} });
  return { memory, runs, release };
}

/** Lets a worker begin. A law that fails meanwhile tells why, and not what became of this then. */
function begin({ memory, release }: Worker): ReturnType<SessionMemory['consolidateOwed']> {
  const counts = memory.consolidateOwed();
  counts.catch(release);
  return counts;
}

async function started({ runs }: Worker): Promise<void> {
  for (let i = 0; runs.length === 0; i++) {
    assert.ok(i < 100_000, 'the consolidator never began');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function remembered({ memory }: Worker, sessionId: string): Promise<readonly string[]> {
  return (await memory.list(sessionId)).items.map(({ content }) => content);
}

/** Consolidation on any store: owed with the end, one at a time, and nothing of who was overtaken. */
export const memoryLaws: readonly Law[] = [
  {
    id: 'memory/one-at-a-time',
    promise: 'Of many workers exactly one runs what a session owes.',
    async check(bench) {
      const sessions = await bench.open({ maxSessionsPerUser: 1_000 });
      const ids: string[] = [];
      for (const _ of range(1, bench.scale(40, 6))) {
        const { sessionId } = await sessionOf(sessions, 1);
        await endOwing(bench, sessionId);
        ids.push(sessionId);
      }
      const workers = range(1, 4).map((n) => workerOn(bench, `worker ${n}`));
      const race = await inOneTick(4, (i) => (workers[i] as Worker).memory.consolidateOwed());
      assert.deepEqual(race.lost, []);
      assert.equal(
        race.won.reduce((sum, { done }) => sum + done, 0),
        ids.length,
      );
      const runs = workers.flatMap((worker) => worker.runs.map(({ session }) => session.sessionId));
      assert.deepEqual(runs.toSorted(), ids.toSorted());
      for (const id of ids) {
        const worker = workers[0] as Worker;
        assert.equal((await worker.memory.consolidation(id))?.state, 'done');
        assert.equal((await remembered(worker, id)).length, 1);
      }
    },
  },
  {
    id: 'memory/taken-over',
    promise:
      'A run is taken over when its lease has run out and not before, and what it brings then is refused.',
    async check(bench) {
      const { sessionId } = await sessionOf(await bench.open(), 2);
      await endOwing(bench, sessionId);
      const slow = workerOn(bench, 'slow', true);
      const quick = workerOn(bench, 'quick');
      const first = begin(slow);
      await started(slow);
      bench.clock.advance(599_999);
      assert.deepEqual(await quick.memory.consolidateOwed(), { done: 0, failed: 0 });
      await refused(quick.memory.consolidate(sessionId), 'lease');
      bench.clock.advance(1);
      assert.deepEqual(await quick.memory.consolidateOwed(), { done: 1, failed: 0 });
      assert.ok((quick.runs[0]?.token ?? 0) > (slow.runs[0]?.token ?? 0));
      slow.release();
      assert.deepEqual(await first, { done: 0, failed: 0 });
      assert.deepEqual(await remembered(quick, sessionId), ['quick']);
      const { attempts, state } = (await quick.memory.consolidation(sessionId)) ?? {};
      assert.deepEqual([attempts, state], [2, 'done']);
    },
  },
  {
    id: 'memory/signs-of-life',
    promise: 'Signs of life keep a run, however long it takes, and keep its token.',
    async check(bench) {
      const { sessionId } = await sessionOf(await bench.open(), 2);
      await endOwing(bench, sessionId);
      const slow = workerOn(bench, 'slow', true, leaseMs);
      const quick = workerOn(bench, 'quick');
      const first = begin(slow);
      await started(slow);
      for (const _ of range(1, 2)) {
        bench.clock.advance(leaseMs - 1);
        const until = bench.clock.now() + leaseMs;
        for (let dueAt = 0; dueAt < until; ) {
          const record = await bench.store.record(sessionId, 'consolidation', '');
          assert.equal(record?.version, slow.runs[0]?.token);
          dueAt = record?.dueAt ?? until;
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.deepEqual(await quick.memory.consolidateOwed(), { done: 0, failed: 0 });
      }
      slow.release();
      assert.deepEqual(await first, { done: 1, failed: 0 });
      assert.deepEqual(await remembered(quick, sessionId), ['slow']);
    },
  },
  {
    id: 'memory/goes-with-its-session',
    promise: 'What was remembered of a session changes nothing that it shows, and goes with it.',
    async check(bench) {
      const { manager } = await bench.open();
      const { sessionId } = await sessionOf({ ...(await bench.open()), manager }, 2);
      await endOwing(bench, sessionId);
      const before = await manager.getState(sessionId);
      const worker = workerOn(bench, 'remembered');
      assert.deepEqual(await worker.memory.consolidateOwed(), { done: 1, failed: 0 });
      assert.deepEqual(await remembered(worker, sessionId), ['remembered']);
      assert.deepEqual(await manager.getState(sessionId), before);
      await manager.delete(sessionId);
      for (const kind of ['memory', 'consolidation']) {
        assert.deepEqual(await bench.store.records(sessionId, kind, { limit: 9 }), []);
      }
      assert.deepEqual(
        await bench.store.due({ kind: 'consolidation', withinMs: 9e9, limit: 9 }),
        [],
      );
    },
  },
];
