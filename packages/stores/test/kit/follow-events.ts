import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, type SessionManager } from '@lexigram/ai-session';
import { expect } from 'vitest';
import { type Child, startChild } from './children.ts';
import { temporaryFolder } from './folder.ts';
import { faultsIn, keyOfItem, lastWord, type Noted } from './noted-events.ts';
import { openUrl } from './open-url.ts';
import { randomOf } from './random.ts';

const writers = new URL('../children/write-events.ts', import.meta.url);
const subscriber = new URL('../children/subscribe.ts', import.meta.url);
const users = ['ada', 'bob'];
const ids = ['s1', 's2', 's3', 's4'];

interface FollowOptions {
  /** What the writers do, all in all. */
  readonly count: number;
  readonly kills: number;
  /** A broken store, over which the subscribers read. */
  readonly twin?: string;
}

interface FollowedEvents {
  /** What is wrong with what the subscribers noted. */
  readonly faults: readonly string[];
  /** How many events each of them was told. */
  readonly events: number;
}

/**
 * Eight writers in two processes change four sessions, two processes follow them, and now and then one of the four is
 * killed and started again; answers what the followers noted, beside what the feeds say.
 */
export async function followEvents(
  url: string,
  { count, kills, twin = '' }: FollowOptions,
): Promise<FollowedEvents> {
  const folder = temporaryFolder();
  const store = await openUrl(url);
  const { events, manager } = await createSessions(
    { maxTurnsPerSession: 1_000_000, autoCheckpointInterval: null },
    { store },
  );
  for (const [i, sessionId] of ids.entries()) {
    await manager.create({ userId: users[i % 2] as string, sessionId });
  }
  const tasks = [
    { options: {}, sessions: ids },
    { options: { userId: 'ada' }, sessions: ['s1', 's3'] },
    { options: { sessionId: 's2' }, sessions: ['s2'] },
  ];
  const begins: string[] = [];
  for (const { options } of tasks) {
    const subscription = events.subscribe(options);
    begins.push(twin === '' ? await subscription.start : `p~${Date.now()}~${Date.now()}~-`);
    await subscription.return();
  }
  const logsOf = (n: number) =>
    (twin === '' ? tasks : tasks.slice(0, 2)).map((task, i) => ({
      ...task,
      begin: begins[i],
      log: join(folder, `${n}-${i}.log`),
    }));
  const listen = (n: number) =>
    startChild(subscriber, [url, JSON.stringify(logsOf(n)), ...(twin === '' ? [] : [twin])]);
  const random = randomOf(20_261_126);
  const listening = [listen(1), listen(2)];
  for (const child of listening) expect(await child.next()).toEqual({ did: 'open' });

  let done = 0;
  let killed = 0;
  let started = 0;
  const write = (left: number): Child => {
    started += 1;
    return startChild(writers, [url, `w${started}`, String(started), String(left), ...ids]);
  };
  /** Starts writers until they did `left` things; a kill leaves the rest to the next ones. */
  const writeAll = async (wanted: number): Promise<void> => {
    let left = wanted;
    while (left > 0) {
      const child = write(left);
      let all = false;
      for await (const { did } of child.messages<{ did: number | string }>()) {
        all ||= did === 'all';
        if (did !== 1) continue;
        left -= 1;
        done += 1;
        if (killed >= kills || done < ((killed + 1) * count) / (kills + 1)) continue;
        killed += 1;
        if (random.between(1, 3) === 1) child.kill();
        else await killListener(killed % 2);
      }
      const { code, errors, signal } = await child.ended;
      expect([signal === 'SIGKILL' || code === 0, errors]).toEqual([true, '']);
      if (all) return;
    }
  };
  const killListener = async (n: number): Promise<void> => {
    listening[n]?.kill();
    await listening[n]?.ended;
    listening[n] = listen(n + 1);
  };
  await Promise.all([writeAll(count / 2), writeAll(count / 2)]);
  expect(killed).toBe(kills);
  const heard = listening.map(async (child) => {
    for await (const { did } of child.messages<{ did: string }>()) if (did === 'all') break;
    expect(await child.ended).toMatchObject({ code: 0, errors: '' });
  });
  let over = false;
  const all = Promise.all(heard).finally(() => {
    over = true;
  });
  await sayLast(manager, 0);
  // Who skips what comes too soon may never hear the first one.
  for (let n = 1; twin !== '' && !over; n++) await sayLast(manager, n);
  await all;

  const faults: string[] = [];
  let told = 0;
  for (const { log, sessions } of [...logsOf(1), ...logsOf(2)]) {
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    const notes = lines.map((line) => JSON.parse(line) as Noted);
    for (const id of sessions) {
      const own = notes.filter(({ sessionId }) => sessionId === id);
      const items = await store.feed(id, { after: 1, limit: 1_000_000 });
      const keys = items.map((item) => ({ revision: item.revision, key: keyOfItem(item, id) }));
      const end = keys.findIndex(({ key }) => key === `turn 0-${lastWord}`);
      const expected = keys.slice(0, end + 1);
      faults.push(...faultsIn(own, expected).map((fault) => `${log} ${id}: ${fault}`));
      if (log.endsWith('1-0.log')) told += expected.length;
    }
  }
  await store.close();
  return { faults, events: told };
}

async function sayLast(manager: SessionManager, n: number): Promise<void> {
  for (const sessionId of ids) {
    await manager.addTurn(sessionId, { turnId: `${n}-${lastWord}`, role: 'user', content: 'done' });
  }
}
