import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './kit/children.ts';
import { temporaryFolder } from './kit/folder.ts';
import { type Call, ensureStrace, readTrace, tracing } from './kit/strace.ts';

const script = new URL('./children/add-turns.ts', import.meta.url);
const turns = 40;

it('by default a turn is on the disk before it is acknowledged', async () => {
  const calls = await trace('default', 1, turns);
  expect(acknowledged(calls)).toHaveLength(turns);
  expect(unsafe(calls)).toEqual([]);
});

it('the same check rejects synchronous normal', async () => {
  const calls = await trace('normal', 1, turns);
  expect(acknowledged(calls)).toHaveLength(turns);
  expect(unsafe(calls).length).toBeGreaterThan(turns / 2);
});

it.each([16, 64])('%i callers share syncs, and all come before the answers', async (callers) => {
  const calls = await trace('default', callers, turns);
  const count = callers * turns;
  expect(acknowledged(calls)).toHaveLength(count);
  expect(notSynced(calls)).toEqual([]);
  const syncs = calls.filter((call) => call.kind === 'sync').length;
  expect(syncs).toBeLessThanOrEqual(count / 12);
});

/** What a process did from its first turn to its last. */
async function trace(synchronous: string, callers: number, count: number): Promise<Call[]> {
  ensureStrace();
  const folder = temporaryFolder();
  const file = join(folder, 'trace');
  const args = [join(folder, 'sessions.db'), synchronous, String(callers), String(count)];
  const child = startChild(script, args, tracing(file));
  expect(await child.next()).toEqual({ did: 'open' });
  child.say({ go: true });
  expect(await child.ended).toMatchObject({ code: 0, signal: null });
  const calls = readTrace(file);
  const start = calls.findIndex((call) => call.kind === 'said' && call.what.includes('open'));
  const end = calls.findLastIndex((call) => call.kind === 'said');
  return calls.slice(start + 1, end + 1);
}

function acknowledged(calls: readonly Call[]): Call[] {
  return calls.filter((call) => call.kind === 'said' && call.what.includes('acknowledged'));
}

/** Answers of one caller that came without a write of its own, or before it was synced. */
function unsafe(calls: readonly Call[]): Call[] {
  let written = false;
  const without: Call[] = [];
  for (const call of calls) {
    if (call.kind === 'write' && call.what.endsWith('-wal')) written = true;
    if (call.kind === 'said') {
      if (!written) without.push(call);
      written = false;
    }
  }
  return [...without, ...notSynced(calls)];
}

/** Answers that came while something written to the log was not synced. */
function notSynced(calls: readonly Call[]): Call[] {
  let dirty = false;
  return calls.filter((call) => {
    if (call.what.endsWith('-wal')) dirty = call.kind === 'write';
    return call.kind === 'said' && dirty;
  });
}
