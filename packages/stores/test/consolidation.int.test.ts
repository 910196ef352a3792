import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, SessionMemory } from '@lexigram/ai-session';
import { expect, it, onTestFinished } from 'vitest';
import type { KillPoint } from './children/consolidate.ts';
import { startChild } from './kit/children.ts';
import { faultsOf } from './kit/database-faults.ts';
import { temporaryFolder } from './kit/folder.ts';
import { openUrl } from './kit/open-url.ts';
import { describeEach, storesOfOneServer, storesOfTwins } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

const script = new URL('./children/consolidate.ts', import.meta.url);
const stopped = new URL('./children/stopped-consolidation.ts', import.meta.url);
const points: readonly KillPoint[] = ['before', 'in', 'unsaved', 'after'];

interface Line {
  readonly what: 'start' | 'end';
  readonly id: string;
  readonly token: number;
  readonly pid: number;
}

/** Lets two processes work off what is owed. */
async function workOff(url: string, log: string, role: string): Promise<void> {
  const workers = [1, 2].map(() => startChild(script, [url, log, role]));
  for (const child of workers) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of workers) child.say({ go: true });
  for (const child of workers) expect(await child.next()).toMatchObject({ failed: 0 });
  await Promise.all(workers.map(({ ended }) => ended));
}

function linesOf(log: string): readonly Line[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Runs that began while another one of the same session was on its way. */
function overlapsIn(log: readonly Line[]): string[] {
  const open = new Map<string, Line>();
  const overlaps: string[] = [];
  for (const line of log) {
    if (line.what !== 'start') open.delete(line.id);
    else if (open.has(line.id)) overlaps.push(line.id);
    else open.set(line.id, line);
  }
  return overlaps;
}

/** Stops a process in the middle of a consolidation, overtakes it, lets it go on, and answers what it left. */
async function stopAndOvertake(
  url: string,
  rounds: number,
  twin: string,
): Promise<readonly Overtaken[]> {
  const leaseMs = 400;
  const store = await openUrl(url, { synchronous: 'normal' });
  onTestFinished(() => store.close());
  const { manager } = await createSessions({ maxSessionsPerUser: 1_000 }, { store });
  const fresh = async () => ({ memories: [{ content: 'fresh', fromSeq: 1, toSeq: 1 }] });
  const memory = new SessionMemory({ store }, { consolidator: { consolidate: fresh } });
  const child = startChild(stopped, [url, String(leaseMs), twin]);
  expect(await child.next()).toEqual({ did: 'open' });
  const seen: Overtaken[] = [];
  for (let round = 0; round < rounds; round++) {
    const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'x' });
    await manager.close(sessionId);
    child.say({ sessionId });
    expect(await child.next()).toEqual({ did: 'in' });
    child.pause();
    while ((await memory.consolidateOwed()).done === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.goOn();
    child.say({ go: true });
    const { code = '' } = await child.next<{ code?: string }>();
    const { items } = await memory.list(sessionId);
    seen.push({ code, memories: items.map(({ content }) => content) });
  }
  return seen;
}

interface Overtaken {
  /** What the process that was stopped was told. */
  readonly code: string;
  readonly memories: readonly string[];
}

describeEach(storesOfOneServer, 'a consolidation', (kind) => {
  it('is done at least once for each session, killed before, in and after it, and by one at a time', async () => {
    const kills = countOf('consolidationKills');
    const folder = temporaryFolder();
    const url = await kind.url(folder);
    const file = join(folder, 'log');
    const ids = Array.from({ length: kills }, (_, i) => `s${i}`);
    // One after another: a process beside it would work off what it is to be killed at.
    for (const [i, id] of ids.entries()) {
      const point = points[i % points.length] as string;
      const child = startChild(script, [url, file, 'dies', id, point]);
      const ended = { code: null, signal: 'SIGKILL', errors: '' };
      expect(await child.ended, `${id} ${point}`).toEqual(ended);
    }
    const killed = linesOf(file);
    await workOff(url, file, 'works');
    const log = linesOf(file);
    const survived = log.slice(killed.length);
    // A run of a process that was killed has no end; they lived one after another, each at its own.
    const lives = Object.values(Object.groupBy(killed, ({ pid }) => pid));
    expect(lives.flatMap((life) => overlapsIn(life ?? []))).toEqual([]);
    expect(overlapsIn(survived)).toEqual([]);
    for (const [i, id] of ids.entries()) {
      const runs = log.filter((line) => line.id === id);
      const tokens = runs.filter(({ what }) => what === 'start').map(({ token }) => token);
      const ends = runs.filter(({ what }) => what === 'end').length;
      expect(tokens, id).toEqual([...new Set(tokens)].sort((a, b) => a - b));
      expect(ends, id).toBeGreaterThanOrEqual(1);
      const point = points[i % points.length];
      if (point === 'unsaved') expect(ends, id).toBeGreaterThanOrEqual(2);
      if (point === 'in') expect(tokens.length, id).toBeGreaterThan(ends);
      if (point === 'after') expect(survived.some((line) => line.id === id)).toBe(false);
    }
    const store = await openUrl(url);
    onTestFinished(() => store.close());
    const memory = new SessionMemory({ store });
    for (const id of ids) {
      expect(await memory.consolidation(id)).toMatchObject({ state: 'done', dueAt: null });
      const { items } = await memory.list(id);
      expect(items).toMatchObject([{ content: '2 turns', roles: ['assistant', 'user'] }]);
    }
    expect(await faultsOf(store)).toEqual([]);
  });

  it('writes nothing of it in a process that was stopped in it and overtaken', async () => {
    const rounds = countOf('consolidationStops');
    const overtaken = { code: 'LEX_ERR_SES_019', memories: ['fresh'] };
    const url = await kind.url(temporaryFolder());
    expect(await stopAndOvertake(url, rounds, '')).toEqual(
      Array.from({ length: rounds }, () => overtaken),
    );
  });
});

describeEach(storesOfTwins(storesOfOneServer), 'a consolidation', (kind) => {
  it('is found to be done by two at a time without the lease', async () => {
    const folder = temporaryFolder();
    const url = await kind.url(folder);
    const file = join(folder, 'log');
    const store = await openUrl(url);
    const { manager } = await createSessions({ maxSessionsPerUser: 1_000 }, { store });
    for (let i = 0; i < 80; i++) {
      const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'x' });
      await manager.close(sessionId);
      const owed = { kind: 'consolidation', key: '', value: '{"state":"owed"}', dueInMs: 0 };
      await store.commit(sessionId, { records: [owed] });
    }
    await store.close();
    await workOff(url, file, 'blindly');
    expect(overlapsIn(linesOf(file))).not.toEqual([]);
  });

  it('is found to be written by such a process without the token', async () => {
    const [seen] = await stopAndOvertake(await kind.url(temporaryFolder()), 1, 'unfenced');
    expect(seen?.memories).toEqual(['stale']);
  });
});
