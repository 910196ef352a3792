import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSessions } from '@lexigram/ai-session';
import { Keyv } from 'keyv';
import { expect, it, onTestFinished } from 'vitest';
import { Folder } from '../../custom-store/folder.ts';
import { openKeyvStore } from '../../custom-store/keyv-store.ts';

const script = join(import.meta.dirname, 'children', 'write-until-killed.ts');
const rounds = process.env['LEX_TEST_SCALE'] === undefined ? 4 : 30;

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lexigram-keyv-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Lets a process write until it has told of so many turns, kills it, and answers what it was told. */
async function writeUntilKilled(enough: number, ...args: string[]): Promise<readonly string[]> {
  const node = ['--conditions=@lexigram/source', script];
  const child = spawn(process.execPath, [...node, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_, signal) => resolve(signal));
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(line);
    if (told.length === enough) child.kill('SIGKILL');
  }
  expect(await ended, errors).toBe('SIGKILL');
  return told;
}

/** What a new process finds of the session, and whether it can go on with it. */
async function found(path: string): Promise<{ turns: readonly string[]; half: readonly string[] }> {
  const store = await openKeyvStore(new Keyv({ store: new Folder(path) }));
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  const { turnCount, turns } = await manager.getState('s', { turns: 'all' });
  expect(turns.map(({ seq }) => seq)).toEqual(Array.from({ length: turnCount }, (_, i) => i + 1));
  const { seq } = await manager.addTurn('s', { role: 'user', content: 'and on' });
  expect(seq).toBe(turnCount + 1);
  await store.close();
  const batches = Map.groupBy(turns, ({ metadata }) => metadata?.['name']);
  const half = [...batches].filter(
    ([name, members]) => name !== undefined && members[0]?.metadata?.['count'] !== members.length,
  );
  return {
    turns: turns.map(({ content, seq }) => `${seq} ${content}`),
    half: half.map(([name]) => String(name)),
  };
}

it('a kill -9 loses nothing that was acknowledged, and leaves no batch in part', async () => {
  const path = temporaryFolder();
  const told: string[] = [];
  for (let round = 0; round < rounds; round++) {
    told.push(...(await writeUntilKilled(30 + ((round * 7) % 30), path, String(round))));
    const { half, turns } = await found(path);
    const there = new Set(turns);
    expect(told.filter((line) => !there.has(line))).toEqual([]);
    expect(half).toEqual([]);
  }
  // What each crash leaves behind is some pages of one commit or two.
  expect(readdirSync(path).length).toBeLessThan(200 * rounds);
});

it('the same check finds a folder that answers before it writes', async () => {
  const path = temporaryFolder();
  const told = await writeUntilKilled(40, path, 'twin', 'writes-behind');
  const { turns } = await found(path).catch(() => ({ turns: [] }));
  const there = new Set(turns);
  expect(told.filter((line) => !there.has(line))).not.toEqual([]);
});
