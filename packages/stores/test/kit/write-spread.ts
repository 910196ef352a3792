import { createSessions, type SessionManager, type SessionStore } from '@lexigram/ai-session';
import { expect } from 'vitest';
import type { Written } from '../children/write-spread.ts';
import { startChild } from './children.ts';
import { faultsOf } from './database-faults.ts';

const names = ['a', 'b', 'c', 'd'];
const script = new URL('../children/write-spread.ts', import.meta.url);

/**
 * 32 writers in four processes add `count` turns to 64 sessions and a hot one at a place, while `store` reads them all
 * along; answers what is wrong: duplicates, gaps, another order, reads that are no beginning of the end.
 */
export async function writeSpread(
  store: SessionStore,
  place: string,
  count: number,
): Promise<readonly string[]> {
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  const ids = ['hot', ...Array.from({ length: 64 }, (_, i) => `s${i + 1}`)];
  for (const sessionId of ids) await manager.create({ userId: sessionId, sessionId });
  const each = String(count / names.length);
  const children = names.map((name, i) => startChild(script, [place, name, `${i}`, each, ...ids]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'open' });
  for (const child of children) child.say({ go: true });

  const told = Promise.all(
    children.map((child) => child.next<{ written: Record<string, readonly Written[]> }>()),
  );
  let writing = true;
  void told.then(() => {
    writing = false;
  });
  const reads: (readonly [string, readonly string[]])[] = [];
  for (let n = 0; writing || n < 10; n++) {
    const sessionId = ids[n % 3 === 0 ? 0 : n % ids.length] as string;
    reads.push([sessionId, await contentsOf(manager, sessionId)]);
    // A store in this process answers at once: the children would not be heard.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const written = (await told).flatMap((it) => Object.entries(it.written));
  const final = new Map<string, readonly string[]>();
  for (const sessionId of ids) final.set(sessionId, await contentsOf(manager, sessionId));
  const faults: string[] = [];
  const acknowledged = written.reduce((sum, [, turns]) => sum + turns.length, 0);
  if (acknowledged !== count) faults.push(`${acknowledged} acknowledged of ${count}`);
  for (const [writer, turns] of written) {
    const last = new Map<string, number>();
    for (const [sessionId, seq, n] of turns) {
      if (seq <= (last.get(sessionId) ?? 0)) faults.push(`${writer} ${n} stands before ${n - 1}`);
      last.set(sessionId, seq);
      const stored = final.get(sessionId)?.[seq - 1];
      if (stored !== `${writer} ${n}`) {
        faults.push(`${sessionId} has '${stored}' at ${seq}, not '${writer} ${n}'`);
      }
    }
  }
  const stored = [...final.values()].flat().length;
  if (stored !== count) faults.push(`${stored} stored of ${count}`);
  for (const [sessionId, contents] of reads) {
    const beginning = final.get(sessionId)?.slice(0, contents.length);
    if (contents.join() !== beginning?.join()) faults.push(`a read of ${sessionId} is no prefix`);
  }
  return [...faults, ...(await faultsOf(store))];
}

async function contentsOf(manager: SessionManager, sessionId: string): Promise<readonly string[]> {
  const { turns } = await manager.getState(sessionId, { turns: 'all' });
  return turns.map((turn) => turn.content as string);
}
