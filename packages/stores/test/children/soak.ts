// Works at random on the sessions that it is told of, and says before and after each turn what it tries and what it was
// told, until it is ended.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSessions, isSessionError, SessionCorruptDataError } from '@lexigram/ai-session';
import { type Breakage, openBroken } from '../broken/open-broken.ts';
import { openPatiently } from '../kit/open-url.ts';
import { pause } from '../kit/pause.ts';
import { randomOf } from '../kit/random.ts';
import { consolidator, type SoakOrder, type SoakWord, soakConfig } from '../kit/soak/words.ts';
import { hear, say as sayAny } from './talk.ts';

const [url = '', name = '', seed = '', loops = '', twin] = process.argv.slice(2);
const say = (word: SoakWord): void => sayAny(word);
const random = randomOf(Number(seed));
const store = await (twin === undefined
  ? openPatiently(url, { callTimeoutMs: 10_000 })
  : openBroken(url, twin as Breakage));
const sessions = await createSessions(soakConfig, { store, consolidator });
const { branches, checkpoints, cleanup, manager, memory } = sessions;

/** Sessions that may be worked on, each of a family. */
const known = new Map<string, string>();
/** How many calls are on their way to each. */
const calls = new Map<string, number>();
/** Those that it leaves as soon as these calls have ended. */
const leaving = new Set<string>();
let made = 0;

function turn() {
  made += 1;
  const turnId = `${name}-${made}`;
  const usage = { inputTokens: random.between(1, 9), outputTokens: 1 };
  return { turnId, role: 'user' as const, content: turnId, usage, cost: 0.000_001 };
}

async function addTurns(id: string): Promise<void> {
  const turns = Array.from({ length: random.pick([1, 1, 1, 1, 3]) }, turn);
  const ids = turns.map(({ turnId }) => turnId);
  say({ did: 'try', id, turns: ids });
  const since = performance.now();
  try {
    await manager.addTurns(id, turns);
    say({ did: 'add', id, turns: ids, ms: performance.now() - since });
  } catch (error) {
    // Refused: nothing of it is written. What could not be asked may be.
    const isRefused = isSessionError(error) && error.name !== 'SessionStoreUnavailableError';
    if (isRefused) say({ did: 'refused', id, turns: ids });
    throw error;
  }
}

async function fork(id: string): Promise<void> {
  const made = await branches.fork(id, 'b');
  say({ did: 'fork', id, branch: made.sessionId });
  const family = known.get(id);
  if (family !== undefined) known.set(made.sessionId, family);
}

async function act(id: string, other: string): Promise<unknown> {
  const dice = random.between(1, 200);
  if (dice <= 110) return addTurns(id);
  if (dice <= 118) return fork(id);
  if (dice <= 130) return branches.merge(id, other);
  if (dice <= 142) return manager.setVariables(id, { [`v${random.between(1, 5)}`]: made });
  if (dice <= 147) return manager.setMetadata(id, { last: made });
  if (dice <= 154) return checkpoints.create(id);
  if (dice <= 160) return manager.undo(id);
  if (dice <= 164) return manager.redo(id);
  if (dice <= 170) return manager.rewind(id, { toSeq: random.between(0, 6) });
  if (dice <= 175) {
    const { items } = await checkpoints.list(id);
    return items[0] && checkpoints.restore(items[0].checkpointId);
  }
  if (dice <= 192) return manager.getState(id, { turns: 20 });
  if (dice <= 195) return sessions.analytics.report({ groupBy: 'day' });
  if (dice <= 198) return memory.consolidateOwed();
  const { failures } = await cleanup.sweep();
  for (const { error } of failures) told(error);
  return undefined;
}

/** What calls may be refused with while others work on the same and servers end; damage is never one of it. */
function told(error: unknown): void {
  if (isSessionError(error) && !(error instanceof SessionCorruptDataError)) {
    say({ did: 'error', name: error.name });
    return;
  }
  say({ did: 'fault', what: error instanceof Error ? (error.stack ?? error.message) : `${error}` });
}

function begin(...ids: readonly string[]): void {
  for (const id of ids) calls.set(id, (calls.get(id) ?? 0) + 1);
}

function end(...ids: readonly string[]): void {
  for (const id of ids) {
    calls.set(id, (calls.get(id) ?? 0) - 1);
    leaveIfIdle(id);
  }
}

function leaveIfIdle(id: string): void {
  if ((calls.get(id) ?? 0) > 0) return;
  calls.delete(id);
  if (leaving.delete(id)) say({ did: 'leave', id });
}

async function work(): Promise<void> {
  for (;;) {
    const all = [...known];
    if (all.length > 0) {
      const [id, family] = random.pick(all);
      const [other] = random.pick(all.filter(([, own]) => own === family));
      begin(id, other);
      try {
        await act(id, other);
      } catch (error) {
        told(error);
      }
      end(id, other);
    }
    await pause(random.between(0, 20));
  }
}

async function obey(): Promise<void> {
  for (;;) {
    const order = await hear<SoakOrder>();
    if (order.order === 'use') known.set(order.id, order.family);
    else {
      known.delete(order.id);
      leaving.add(order.id);
      leaveIfIdle(order.id);
    }
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function measure(): Promise<void> {
  for (;;) {
    const since = performance.now();
    await pause(1_000);
    const late = performance.now() - since - 1_000;
    collectGarbage();
    const handles: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
    say({
      did: 'measure',
      heap: getHeapStatistics().used_heap_size,
      rss: process.memoryUsage().rss,
      sockets: (handles['TCPSocketWrap'] ?? 0) + (handles['TCPWRAP'] ?? 0),
      timers: handles['Timeout'] ?? 0,
      late,
    });
  }
}

say({ did: 'open' });
void obey();
void measure();
await Promise.all(Array.from({ length: Number(loops) }, work));
