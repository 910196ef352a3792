import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSessions,
  type GroupResult,
  SessionLeaseError,
  type Sessions,
} from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import { startChild } from './kit/children.ts';
import { temporaryFolder } from './kit/folder.ts';
import {
  type Choice,
  leaseMs,
  leftBy,
  makeTeam,
  message,
  rounds,
  takeOver,
} from './kit/group-team.ts';
import { openUrl } from './kit/open-url.ts';
import { randomOf } from './kit/random.ts';
import { describeEach, type StoreOnTrial, storesOfOneServer } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

const runGroup = new URL('./children/run-group.ts', import.meta.url);
const stoppedGroup = new URL('./children/stopped-group.ts', import.meta.url);

interface Bench {
  readonly url: string;
  readonly folder: string;
  readonly sessions: Sessions;
  newSession(): Promise<string>;
}

async function openBench({ url }: StoreOnTrial): Promise<Bench> {
  const folder = temporaryFolder();
  const at = await url(folder);
  const store = await openUrl(at, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  const sessions = await createSessions({ maxSessionsPerUser: 10_000 }, { store });
  let users = 0;
  const newSession = async (): Promise<string> => {
    users += 1;
    return (await sessions.manager.create({ userId: `user-${users}` })).sessionId;
  };
  return { url: at, folder, sessions, newSession };
}

/** The steps at which agents and tools worked, in order. */
function worked(log: string): string[] {
  return readFileSync(log, 'utf8').trimEnd().split('\n');
}

/** What the whole run leaves if nothing disturbs it, and the commits that it takes. */
async function undisturbed(bench: Bench, choice: Choice) {
  const id = await bench.newSession();
  const log = join(bench.folder, `undisturbed-${choice}`);
  const child = startChild(runGroup, [bench.url, id, choice, log, '0', 'never', '0']);
  expect(await child.next()).toEqual({ begins: true });
  const { commits, reason } = await child.next<{ commits: number; reason: string }>();
  expect(reason).toBe('rounds');
  const left = await leftBy(bench.sessions, id);
  const keys = worked(log);
  // Six agents in three rounds, and one of them goes on after its tool.
  expect(keys).toHaveLength(6 * rounds + 2 * rounds);
  expect(new Set(keys).size).toBe(keys.length);
  return { commits, left, works: keys.length };
}

/** What came of a run whose process was killed, once this one has taken it over. */
async function expectWhole(
  bench: Bench,
  id: string,
  log: string,
  choice: Choice,
  whole: Awaited<ReturnType<typeof undisturbed>>,
  when: string,
): Promise<void> {
  const team = makeTeam(bench.sessions, { choice, log });
  const { reason } = await takeOver(team, id);
  expect(reason, when).toBe('rounds');
  expect(await leftBy(bench.sessions, id), when).toEqual(whole.left);
  // Work is done at least once, and again only in the step in which the process died, under the same key.
  const keys = worked(log);
  const runs = new Set(keys.map((key) => key.split('.')[0]));
  if (runs.size === 1) {
    expect(new Set(keys).size, when).toBe(whole.works);
    expect(keys.length, when).toBeLessThanOrEqual(whole.works + 1);
  }
  expect(runs.size, when).toBeLessThanOrEqual(2);
}

describeEach(storesOfOneServer, 'a group', (store) => {
  it.each(['at-once', 'after-a-while'] as const)(
    'loses and doubles nothing when its process dies at any commit, the choice made %s',
    async (choice) => {
      const bench = await openBench(store);
      const whole = await undisturbed(bench, choice);
      // The message and each step; a choice that takes time is one more, but for an agent's own tools.
      const [spoken, tools] = [6 * rounds, rounds];
      const choices = choice === 'at-once' ? 0 : 1 + spoken;
      expect(whole.commits).toBe(1 + spoken + 2 * tools + choices);
      const random = randomOf(7);
      const points = Array.from({ length: whole.commits }, (_, i) => i + 1)
        .flatMap((n) => [`before ${n}`, `after ${n}`])
        .filter(() => random.between(1, whole.commits * 2) <= countOf('groupKills'));
      expect(points.length).toBeGreaterThan(0);
      for (const point of points) {
        const [moment = '', n = ''] = point.split(' ');
        const id = await bench.newSession();
        const log = join(bench.folder, `${choice}-${moment}-${n}`);
        const child = startChild(runGroup, [bench.url, id, choice, log, '0', moment, n]);
        expect(await child.ended, point).toMatchObject({ signal: 'SIGKILL', errors: '' });
        await expectWhole(bench, id, log, choice, whole, `killed ${point}`);
      }
    },
  );

  it('nor when it is killed at any moment', async () => {
    const bench = await openBench(store);
    const choice = 'after-a-while';
    const whole = await undisturbed(bench, choice);
    const random = randomOf(11);
    let killed = 0;
    for (let round = 0; round < countOf('groupMoments'); round++) {
      const id = await bench.newSession();
      const log = join(bench.folder, `moment-${round}`);
      const child = startChild(runGroup, [bench.url, id, choice, log, '4', 'never', '0']);
      await child.next();
      // The first one while it is at work for certain.
      const timer = setTimeout(() => child.kill(), round === 0 ? 10 : random.between(0, 200));
      const { signal } = await child.ended;
      clearTimeout(timer);
      if (signal === 'SIGKILL') killed += 1;
      await expectWhole(bench, id, log, choice, whole, `round ${round}`);
    }
    expect(killed).toBeGreaterThan(0);
  });

  it('a process that was stopped and overtaken writes nothing when it wakes up', async () => {
    const bench = await openBench(store);
    const child = startChild(stoppedGroup, [bench.url]);
    const random = randomOf(13);
    for (let round = 0; round < countOf('groupStops'); round++) {
      const sessionId = await bench.newSession();
      const at = random.between(1, 4);
      child.say({ sessionId, at, leaseMs });
      const { key } = await child.next<{ key: string }>();
      child.pause();
      child.say({ go: true });
      const keys: string[] = [];
      const group = bench.sessions.group({ leaseMs });
      for (const name of ['ann', 'bob']) {
        group.addAgent({
          name,
          execute: (_message, _history, context) => {
            keys.push(context.key);
            // While this one is at work, or after it has ended.
            if (round % 2 === 0 && context.step === 4) child.goOn();
            return `here ${context.step}`;
          },
        });
      }
      const result: GroupResult = await takeOver(group, sessionId);
      child.goOn();
      expect(result).toMatchObject({ reason: 'steps', steps: 4 });
      expect(keys[0]).toBe(key);
      const { error } = await child.next<{ error: { code: string } }>();
      expect(error.code).toBe('LEX_ERR_SES_019');
      const { turns } = await bench.sessions.manager.getState(sessionId, { turns: 'all' });
      expect(turns.map(({ content }) => content)).toEqual([
        'Hi',
        ...[1, 2, 3, 4].map((step) => `${step < at ? 'child' : 'here'} ${step}`),
      ]);
    }
  });

  it('of two processes one works, and the other is told which', async () => {
    const bench = await openBench(store);
    const child = startChild(stoppedGroup, [bench.url]);
    const sessionId = await bench.newSession();
    // Long enough for a process that gets no time on a busy machine.
    child.say({ sessionId, at: 2, leaseMs: 60_000 });
    await child.next();
    const group = bench.sessions.group({ leaseMs });
    group
      .addAgent({ name: 'ann', execute: () => 'x' })
      .addAgent({ name: 'bob', execute: () => 'x' });
    for (const ask of [() => group.run(sessionId, message), () => group.resume(sessionId)]) {
      const error: unknown = await ask().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(SessionLeaseError);
      expect((error as SessionLeaseError).holder).toContain(`:${child.pid}:`);
    }
    child.say({ go: true });
    expect(await child.next()).toEqual({ reason: 'steps' });
  });
});
