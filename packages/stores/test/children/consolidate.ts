// Closes sessions and dies of SIGKILL before, in or after their consolidation; or works off what such processes left.
import { appendFileSync } from 'node:fs';
import {
  createSessions,
  type MemoryConsolidator,
  SessionMemory,
  type SessionStore,
} from '@lexigram/ai-session';
import { consolidatesBlindly } from '../broken/consolidates-blindly.ts';
import { openUrl } from '../kit/open-url.ts';
import { randomOf } from '../kit/random.ts';
import { hear, leave, say } from './talk.ts';

/** Where a process is killed. */
export type KillPoint = 'before' | 'in' | 'unsaved' | 'after';

const [url = '', log = '', role = '', sessionId = '', point = ''] = process.argv.slice(2);

/** A line of the log, which all processes share; one write each, so that it is whole and in order. */
function note(what: string, id: string, token: number): void {
  appendFileSync(log, `${JSON.stringify({ what, id, token, pid: process.pid })}\n`);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

const random = randomOf(process.pid);
const consolidator: MemoryConsolidator = {
  async consolidate(entries, { session, token }) {
    const { sessionId: id } = session;
    note('start', id, token);
    if (point === 'in' && id === sessionId) die();
    let turns = 0;
    for await (const { turn } of entries) turns = turn.seq;
    await new Promise((resolve) => setTimeout(resolve, random.between(0, 15)));
    note('end', id, token);
    return { memories: [{ content: `${turns} turns`, fromSeq: 1, toSeq: turns }] };
  },
};

/** The store of a process that is killed at a commit: right before, or right after it is durable. */
function dyingStore(store: SessionStore): SessionStore {
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      if (name !== 'commit') return (target[name] as () => unknown).bind(target);
      return async (...[id, commit]: Parameters<SessionStore['commit']>) => {
        const ends =
          id === sessionId &&
          commit.records?.some((write) => 'value' in write && /"done"/.test(write.value)) === true;
        if (point === 'unsaved' && ends) die();
        const result = await target.commit(id, commit);
        if (point === 'before' && commit.status?.to === 'closed') die();
        if (point === 'after' && ends) die();
        return result;
      };
    },
  });
}

if (role === 'dies') {
  const store = dyingStore(await openUrl(url));
  const { manager } = await createSessions({}, { store, consolidator });
  await manager.create({ userId: 'u', sessionId });
  await manager.addTurns(sessionId, [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ]);
  await manager.close(sessionId);
  // It is killed before this time is up, or the test says that it was not.
  await new Promise((resolve) => setTimeout(resolve, 60_000));
} else {
  // An hour on the leases of those that died have run out, and those of the living have not.
  const clock = () => Date.now() + 3_600_000;
  const store = await openUrl(url, { clock });
  const memory = new SessionMemory({ store }, { consolidator });
  say({ did: 'open' });
  await hear();
  const counts =
    role === 'blindly'
      ? await consolidatesBlindly(store, consolidator)
      : await memory.consolidateOwed();
  say(counts);
  leave();
}
