import {
  createSessions,
  type GroupResult,
  InMemorySessionStore,
  LlmDirectedTurnManager,
  SessionConflictError,
  SessionLeaseError,
  SessionNotFoundError,
  type SessionStore,
  SessionStoreUnavailableError,
  type Sessions,
} from '@lexigram/ai-session';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countOf, runs, seeded } from '../scale.ts';
import { openSession, scripted } from './kit.ts';

type Act = (sessions: Sessions, id: string) => Promise<unknown>;

/** What a user may do to a session while its group runs, and how the run then ends; null: it goes on. */
const acts: Readonly<Record<string, { readonly act: Act; readonly ends: string | null }>> = {
  nothing: { act: async () => {}, ends: null },
  addTurn: {
    act: ({ manager }, id) => manager.addTurn(id, { role: 'user', content: 'By the way …' }),
    ends: null,
  },
  setVariables: { act: ({ manager }, id) => manager.setVariables(id, { a: 1 }), ends: null },
  setMetadata: { act: ({ manager }, id) => manager.setMetadata(id, { a: 1 }), ends: null },
  checkpoint: { act: ({ checkpoints }, id) => checkpoints.create(id), ends: null },
  fork: { act: ({ branches }, id) => branches.fork(id, 'other'), ends: null },
  read: { act: ({ manager }, id) => manager.getState(id, { turns: 'all' }), ends: null },
  rewind: { act: ({ manager }, id) => manager.rewind(id, { toSeq: 1 }), ends: 'superseded' },
  regenerate: {
    act: async ({ manager }, id) => {
      const { turns } = await manager.getState(id, { turns: 1 });
      await manager.regenerate(id, turns[0]?.turnId ?? '');
    },
    ends: 'superseded',
  },
  'back and forth': {
    act: async ({ manager }, id) => {
      await manager.rewind(id, { toSeq: 1 });
      await manager.undo(id);
    },
    ends: 'superseded',
  },
  suspend: { act: ({ manager }, id) => manager.suspend(id), ends: 'suspended' },
  close: { act: ({ manager }, id) => manager.close(id), ends: 'closed' },
  delete: { act: ({ manager }, id) => manager.delete(id), ends: 'deleted' },
};

it('whatever a user does meanwhile, a run goes on or ends as it should, and writes nothing after its end', async () => {
  const names = fc.array(fc.constantFrom(...Object.keys(acts)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(names, fc.boolean(), async (story, slowly) => {
      const sessions = await openSession({ maxBranchesPerSession: 100 });
      const { id, manager } = sessions;
      const turnManager = slowly
        ? new LlmDirectedTurnManager({
            select: async ({ agents, selections }) => agents[selections % agents.length]?.name,
          })
        : undefined;
      const group = sessions.group({ turnManager });
      for (const name of ['ann', 'bob']) {
        group.addAgent(
          scripted(name, async ({ step }) => {
            await acts[story[step - 1] ?? 'nothing']?.act(sessions, id);
            return { content: `said ${step}`, variables: { [`step${step}`]: true } };
          }),
        );
      }
      const before = await manager.getState(id);
      const run = group.run(id, 'Hi', { maxSteps: story.length });
      const last = story.findIndex((name) => acts[name]?.ends !== null);
      const ends = acts[story[last] ?? '']?.ends ?? 'steps';
      if (ends === 'deleted') {
        await expect(run).rejects.toThrow(SessionNotFoundError);
        return;
      }
      const result = await run;
      const said = last === -1 ? story.length : last;
      expect(result).toMatchObject({ reason: ends, steps: said });
      // All that the run wrote, left behind by a move or not: each step up to the end, once.
      const rows = await Promise.all(
        Array.from({ length: story.length + 1 }, (_, step) =>
          sessions.store.findTurns(`${result.runId}.${step}.0`, [id]),
        ),
      );
      const expected = rows.map((_, step) => (step <= said ? 1 : 0));
      expect(rows.map((found) => found.length)).toEqual(expected);
      const { turns } = await manager.getState(id, { turns: 'all' });
      expect(turns.map(({ seq }) => seq)).toEqual(turns.map((_, i) => i + 1));
      expect(result.state.createdAt).toBe(before.createdAt);
      // The lease is free: another run may begin where the session allows it.
      if (ends === 'steps' || ends === 'superseded') {
        expect((await group.run(id, 'Again', { maxSteps: 0 })).reason).toBe('steps');
      }
    }),
    runs(60),
  );
});

/** A process whose beats get lost, so that others may think that it is dead. */
function forgetful(store: SessionStore, random: () => number): SessionStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (key !== 'commit') return call;
      return async (...args: Parameters<SessionStore['commit']>) => {
        const isBeat = args[1].records?.some((write) => 'sameVersion' in write) === true;
        if (isBeat && random() < 0.9) throw new SessionStoreUnavailableError('unreachable', 'lost');
        if (random() < 0.05) throw new SessionStoreUnavailableError('unreachable', 'not sent');
        const result = await call(...args);
        if (random() < 0.05) throw new SessionStoreUnavailableError('unreachable', 'not heard');
        return result;
      };
    },
  });
}

it('many processes that lose their leases, their calls and their answers do each step once', async () => {
  const steps = 12;
  let refused = 0;
  let shared = 0;
  for (let round = 0; round < countOf(100, 8); round++) {
    const random = seeded(round);
    const store = new InMemorySessionStore();
    const first = await createSessions({}, { store });
    const { sessionId: id } = await first.manager.create({ userId: 'ada' });
    const work = Array.from({ length: 4 }, async (_, worker): Promise<GroupResult> => {
      const sessions = await createSessions({}, { store: forgetful(store, random) });
      const group = sessions.group({ leaseMs: 10 });
      for (const name of ['ann', 'bob', 'cid']) {
        group.addAgent(
          scripted(name, async ({ step }, _message, history) => {
            await new Promise((resolve) => setTimeout(resolve, random() * 14));
            return { content: `${name} ${step} of ${history.length}`, metadata: { worker } };
          }),
        );
      }
      const options = { maxSteps: steps, operationId: 'the-run' };
      for (;;) {
        try {
          const begun = (await store.record(id, 'group', 'run')) !== null;
          const result = begun ? await group.resume(id) : await group.run(id, 'Hi', options);
          // A process that could not go on says so, and another one does.
          if (result.reason !== 'error') return result;
        } catch (error) {
          if (error instanceof SessionLeaseError) refused += 1;
          else if (
            !(error instanceof SessionStoreUnavailableError) &&
            !(error instanceof SessionConflictError && error.reason === 'run')
          ) {
            throw error;
          }
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
      }
    });
    const results = await Promise.all(work);
    // So many losses may look like a step that brings its process down.
    const reasons = new Set(results.map(({ reason }) => reason));
    expect([['steps'], ['failed']], `round ${round}`).toContainEqual([...reasons]);
    const { turns } = await first.manager.getState(id, { turns: 'all' });
    const workers = new Set(turns.slice(1).map(({ metadata }) => metadata?.['worker']));
    if (workers.size > 1) shared += 1;
    const done = results[0]?.steps ?? 0;
    expect(reasons.has('steps') ? done : steps).toBe(steps);
    expect(turns.map(({ content }) => content)).toEqual([
      'Hi',
      ...Array.from({ length: done }, (_, i) => {
        const name = ['ann', 'bob', 'cid'][i % 3];
        return `${name} ${i + 1} of ${i + 1}`;
      }),
    ]);
  }
  // They did get in each other's way, and several had a hand in one run.
  expect(refused).toBeGreaterThan(0);
  expect(shared).toBeGreaterThan(0);
});
