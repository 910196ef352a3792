import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { realConversations, withoutIds } from '../src/conversations.ts';
import { fillConfig, runFill } from '../src/fill/command.ts';
import { fillStore, markId } from '../src/fill/fill-store.ts';
import { type FillPlan, planFill } from '../src/fill/plan.ts';

const isFull = process.env['LEX_TEST_SCALE'] !== undefined;
const counts = isFull
  ? { turns: 100_000, sessions: 2_000, seed: 1 }
  : { turns: 5_000, sessions: 100, seed: 1 };

async function planOf(given: Partial<typeof counts> = {}): Promise<FillPlan> {
  const conversations = withoutIds(await realConversations());
  return planFill({ ...counts, ...given, conversations });
}

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lexigram-fill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'fill.db');
}

function open(path: string): Promise<Sessions> {
  const database = { url: `sqlite:${path}`, synchronous: 'normal' } as const;
  return createSessions({ ...fillConfig, backend: 'database', database });
}

/** Each session of the plan is there with its turns, and nothing else is. */
async function checkFilled({ manager }: Sessions, plan: FillPlan): Promise<void> {
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await manager.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    for (const { sessionId } of page.items) found.add(sessionId);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(found.delete(markId)).toBe(true);
  expect(found).toEqual(new Set(plan.sessions.map(({ sessionId }) => sessionId)));
  for (const session of plan.sessions) {
    const state = await manager.getState(session.sessionId, { turns: 'all' });
    expect(state.userId).toBe(session.userId);
    const texts = state.turns.map(({ content }) => content);
    expect(texts).toEqual(plan.turnsOf(session, 0, session.turns).map(({ content }) => content));
  }
}

describe('a fill', () => {
  it('makes what its plan says, many sessions at once, and does nothing when all is there', async () => {
    const plan = await planOf();
    const path = temporaryFile();
    await using sessions = await open(path);
    const calls = { skip: 0, add: 0, most: 0 };
    const progress = {
      skip: (count: number) => {
        calls.skip += count;
      },
      add: (count: number) => {
        calls.add += count;
        calls.most = Math.max(calls.most, count);
      },
    };
    expect(await fillStore(sessions, plan, { progress, batch: 20 })).toBe(true);
    expect(calls).toEqual({ skip: 0, add: plan.turns, most: 20 });
    await checkFilled(sessions, plan);
    // The turns of one session do not lie in a row.
    const db = new DatabaseSync(path, { readOnly: true });
    const { changes } = db
      .prepare(
        'SELECT count(*) AS changes FROM (SELECT session, lag(session) OVER (ORDER BY id) AS last FROM ai_turns) WHERE session <> last',
      )
      .get() as { changes: number };
    db.close();
    expect(changes).toBeGreaterThan(plan.sessions.length);

    expect(await fillStore(sessions, plan, { progress })).toBe(true);
    expect(calls).toEqual({ skip: plan.turns, add: plan.turns, most: 20 });
  });

  it('that was stopped goes on where it stands', async () => {
    const plan = await planOf();
    const path = temporaryFile();
    const stop = new AbortController();
    let added = 0;
    const progress = {
      skip: () => {},
      add: (count: number) => {
        added += count;
        if (added > plan.turns / 3) stop.abort();
      },
    };
    {
      await using sessions = await open(path);
      expect(await fillStore(sessions, plan, { progress, signal: stop.signal })).toBe(false);
    }
    expect(added).toBeLessThan(plan.turns);
    await using sessions = await open(path);
    let before = 0;
    const counted = {
      skip: (count: number) => {
        before += count;
      },
      add: () => {},
    };
    expect(await fillStore(sessions, plan, { progress: counted })).toBe(true);
    expect(before).toBe(added);
    await checkFilled(sessions, plan);
  });

  it('writes to nothing that another program or another plan has filled', async () => {
    const path = temporaryFile();
    await using sessions = await open(path);
    const { sessionId } = await sessions.manager.create({ userId: 'somebody' });
    const plan = await planOf({ turns: 200, sessions: 10 });
    await expect(fillStore(sessions, plan)).rejects.toThrow('sessions that no fill made');
    await sessions.manager.delete(sessionId);
    expect(await fillStore(sessions, plan)).toBe(true);
    const other = await planOf({ turns: 200, sessions: 10, seed: 2 });
    await expect(fillStore(sessions, other)).rejects.toThrow('another plan');
    await checkFilled(sessions, plan);
  });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

/** The command as people call it; `when` may send it a signal. */
function runCommand(
  args: readonly string[],
  when?: (send: (signal: NodeJS.Signals) => void) => Promise<void>,
): Promise<Ended> {
  const main = join(import.meta.dirname, '..', 'src', 'fill', 'main.ts');
  const { CONVERSATIONS_DIR: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--conditions=@lexigram/source', main, ...args], {
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, said }));
    when?.((signal) => child.kill(signal)).catch(reject);
  });
}

/** Waits until so many turns are in a file. */
async function untilTurns(path: string, count: number): Promise<void> {
  for (;;) {
    if (existsSync(path) && countTurns(path) >= count) return;
    await sleep(5);
  }
}

function countTurns(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare('SELECT count(*) AS turns FROM ai_turns').get()?.turns);
  } catch {
    // The tables are not there yet.
    return 0;
  } finally {
    db.close();
  }
}

describe('the command', () => {
  const given = [
    '--turns',
    `${counts.turns * 4}`,
    '--sessions',
    `${counts.sessions * 4}`,
    '--seed',
    '1',
  ];

  it('ends in good order when it is told to, survives a kill, and goes on', async () => {
    const path = temporaryFile();
    const args = ['--store', `sqlite:${path}`, ...given];
    const total = counts.turns * 4;
    const stopped = await runCommand(args, async (send) => {
      await untilTurns(path, 500);
      send('SIGINT');
    });
    expect(stopped).toMatchObject({ code: 130, signal: null });
    expect(stopped.said).toContain('Stopped. The same command goes on from here.');
    const first = countTurns(path);
    expect(first).toBeLessThan(total);

    const killed = await runCommand(args, async (send) => {
      await untilTurns(path, first + 500);
      send('SIGKILL');
    });
    expect(killed.signal).toBe('SIGKILL');
    expect(countTurns(path)).toBeLessThan(total);

    const whole = await runCommand(args);
    expect(whole).toMatchObject({ code: 0, signal: null });
    const all = total.toLocaleString('en-US');
    expect(whole.said).toContain(`${all} of ${all} turns`);
    await using sessions = await open(path);
    await checkFilled(sessions, await planOf({ turns: total, sessions: counts.sessions * 4 }));
  });

  it('says what is wrong', async () => {
    const path = temporaryFile();
    const error = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => error.mockRestore());
    for (const [args, message] of [
      [[], '--store is missing'],
      [['--store', 'sqlite:sessions.db'], "must begin with 'fill'"],
      [['--store', `sqlite:${path}`, '--turns', '0'], '--turns: expected a whole number from 1'],
      [['--store', `sqlite:${path}`, '--turns', '5', '--sessions', '6'], '--sessions: expected'],
      [['--store', `sqlite:${path}`, '--seed', 'x'], '--seed: expected'],
      [['--store', `sqlite:${path}`, '--batch', '101'], '--batch: expected'],
      [['--store', `sqlite:${path}`, '--speed', '9'], "Unknown option '--speed'"],
    ] as const) {
      expect(await runFill(args), message).toBe(2);
      const [said] = error.mock.lastCall as [string];
      expect(said).toContain(message);
      expect(said).toContain('npm run bench -- fill --store <url>');
    }
    expect(existsSync(path)).toBe(false);
    expect(await runFill(['--store', `sqlite:${path}/no/fill.db`])).toBe(1);
    expect(error.mock.lastCall?.[0]).toMatch(/^[^\n]*cannot be opened[^\n]*$/);
  });
});
