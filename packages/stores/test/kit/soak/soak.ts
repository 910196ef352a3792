import {
  createSessions,
  isSessionError,
  SessionCleanupScheduler,
  type SessionStore,
  SessionStoreUnavailableError,
  type SessionSubscription,
  type Sessions,
} from '@lexigram/ai-session';
import type { SessionRow } from '@lexigram/ai-session/store';
import { type Child, startChild } from '../children.ts';
import { faultsOfSession } from '../database-faults.ts';
import { faultsIn, keyOf, keyOfItem, type Noted } from '../noted-events.ts';
import { openUrl } from '../open-url.ts';
import { pause } from '../pause.ts';
import { type Random, randomOf } from '../random.ts';
import { Gauges } from './gauges.ts';
import { Ledger } from './ledger.ts';
import { leftAt } from './left-at.ts';
import { consolidator, type SoakOrder, type SoakWord, soakConfig } from './words.ts';

const script = new URL('../../children/soak.ts', import.meta.url);

export interface SoakOptions {
  readonly url: string;
  readonly ms: number;
  readonly seed: number;
  /** What befalls the store's server now and then; resolves when all is well again. */
  readonly strike?: () => Promise<string>;
  /** Whether what a process owed when it was killed is there only after the next write or a sweep. */
  readonly owes?: boolean;
  /** What the store takes, by name. */
  readonly measure?: () => Promise<Readonly<Record<string, number>>>;
  /** What the processes lack that work on it; see `open-broken.ts`. */
  readonly twin?: string;
  readonly tell?: (line: string) => void;
}

export interface SoakReport {
  readonly faults: readonly string[];
  /** Turns that were acknowledged, and those of them that were not there. */
  readonly acknowledged: number;
  readonly lost: number;
  /** Sessions that were looked at, each at its end. */
  readonly checked: number;
  readonly kills: number;
  readonly strikes: readonly string[];
  readonly gauges: Gauges;
  /** What calls were refused with, and how often. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** A family of sessions, which is worked on for a while, looked at, and ended. */
interface Family {
  readonly root: string;
  readonly user: string;
  readonly members: Set<string>;
  readonly until: number;
  isEnding: boolean;
}

interface Worker {
  readonly child: Child;
  /** The first one is never killed: what it holds is measured all along. */
  readonly isVeteran: boolean;
}

const families = 5;
const loops = 3;
/** How long the journal is kept; longer than any session is worked on, so that all its events can be looked at. */
const journalMs = 40_000;
const everything = Number.MAX_SAFE_INTEGER;

/**
 * Processes that do all that can be done to some families of sessions at random, while they are killed and started again
 * and their server is struck. Each session is looked at when its time is over: against what was acknowledged, what its
 * rows add up to and what a subscriber was told. In the end nothing may be left.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const store = await openUrl(options.url, { callTimeoutMs: 10_000 });
  const sessions = await createSessions(soakConfig, { store, consolidator });
  await sessions.cleanup.stop();
  try {
    return await new Soak(options, store, sessions).run();
  } finally {
    await sessions.close();
    await store.close();
  }
}

/** Thrown where it makes no sense to go on. */
class GivenUp extends Error {}

class Soak {
  readonly #options: SoakOptions;
  readonly #store: SessionStore;
  readonly #sessions: Sessions;
  readonly #random: Random;
  readonly #faults: string[] = [];
  readonly #ledger = new Ledger();
  #gauges = new Gauges();
  readonly #refusals = new Map<string, number>();
  readonly #strikes: string[] = [];
  readonly #workers = new Set<Worker>();
  readonly #families = new Map<string, Family>();
  /** Sessions that were looked at and are left to run out. */
  readonly #over = new Set<string>();
  /** Who has yet to leave a session. */
  readonly #leaving = new Map<string, { readonly of: Set<Worker>; readonly done: () => void }>();
  readonly #heard = new Map<string, Noted[]>();
  readonly #ending = new Set<Promise<void>>();
  #isOver = false;
  #isFollowing = true;
  #subscription: SessionSubscription | undefined;
  #acknowledged = 0;
  #lost = 0;
  #checked = 0;
  #kills = 0;
  #lastKill = 0;
  #started = 0;
  /** The least and the most that reports may tell of. */
  #turns: [low: number, high: number] = [0, 0];

  constructor(options: SoakOptions, store: SessionStore, sessions: Sessions) {
    this.#options = options;
    this.#store = store;
    this.#sessions = sessions;
    this.#random = randomOf(options.seed);
  }

  async run(): Promise<SoakReport> {
    const { ms } = this.#options;
    const subscription = this.#sessions.events.subscribe({});
    const begin = await subscription.start;
    await subscription.return();
    const following = this.#follow(begin);
    await Promise.all([this.#start(true), this.#start(false)]);
    this.#gauges = new Gauges();
    const until = performance.now() + ms;
    const tasks = [
      this.#every(100, () => this.#tend()),
      this.#every(Math.max(700, Math.min(4_000, ms / 3)), () => this.#killOne()),
      this.#every(1_000, () => this.#look()),
      this.#every(5_000, async () => this.#tell(until)),
    ];
    if (this.#options.strike !== undefined) tasks.push(this.#every(15_000, () => this.#strike()));
    while (performance.now() < until && !this.#isBroken) await pause(50);
    this.#isOver = true;
    await Promise.all(tasks);
    for (const family of this.#families.values()) this.#end(family);
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    for (const { child } of this.#workers) child.kill();
    this.#isFollowing = false;
    await this.#subscription?.return();
    await following;
    if (!this.#isBroken) await this.#checkRest();
    return {
      faults: this.#faults,
      acknowledged: this.#acknowledged,
      lost: this.#lost,
      checked: this.#checked,
      kills: this.#kills,
      strikes: this.#strikes,
      gauges: this.#gauges,
      refusals: this.#refusals,
    };
  }

  /** Once something is wrong nothing is waited for any more. */
  get #isBroken(): boolean {
    return this.#faults.length > 0;
  }

  #failed(where: string, error: unknown): void {
    if (error instanceof GivenUp) return;
    this.#faults.push(`${where}: ${error instanceof Error ? error.stack : error}`);
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      for (let left = ms; left > 0 && !this.#isOver; left -= 50) await pause(Math.min(50, left));
      if (this.#isOver) return;
      try {
        await work();
      } catch (error) {
        this.#failed('it failed', error);
      }
    }
  }

  // The processes.

  async #start(isVeteran: boolean): Promise<void> {
    const { seed, twin, url } = this.#options;
    const n = ++this.#started;
    const args = [url, `w${n}`, String(seed * 1_000 + n), String(loops)];
    const child = startChild(script, twin === undefined ? args : [...args, twin]);
    const worker = { child, isVeteran };
    await child.next();
    this.#workers.add(worker);
    for (const family of this.#families.values()) {
      if (family.isEnding) continue;
      for (const id of family.members)
        this.#order(worker, { order: 'use', id, family: family.root });
    }
    void this.#listen(worker);
  }

  #order({ child }: Worker, order: SoakOrder): void {
    child.say(order);
  }

  async #listen(worker: Worker): Promise<void> {
    for await (const word of worker.child.messages<SoakWord>()) this.#hear(worker, word);
    this.#workers.delete(worker);
    for (const id of [...this.#leaving.keys()]) this.#left(id, worker);
    const { errors, signal } = await worker.child.ended;
    if (signal !== 'SIGKILL') this.#faults.push(`a process ended by itself: ${errors}`);
  }

  #hear(worker: Worker, word: SoakWord): void {
    switch (word.did) {
      case 'try':
        this.#ledger.tried(word.id, word.turns);
        return;
      case 'refused':
        this.#ledger.refused(word.id, word.turns);
        return;
      case 'add':
        this.#acknowledged += word.turns.length;
        this.#gauges.note('latency', word.ms);
        this.#ledger.added(word.id, word.turns);
        return;
      case 'fork':
        this.#adopt(word.id, word.branch);
        return;
      case 'leave':
        this.#left(word.id, worker);
        return;
      case 'error':
        this.#refusals.set(word.name, (this.#refusals.get(word.name) ?? 0) + 1);
        return;
      case 'fault':
        this.#faults.push(word.what);
        return;
      case 'measure':
        if (!worker.isVeteran) return;
        for (const name of ['heap', 'rss', 'sockets', 'timers'] as const) {
          this.#gauges.note(name, word[name]);
        }
        return;
      case 'open':
    }
  }

  #adopt(id: string, branch: string): void {
    for (const family of this.#families.values()) {
      if (!family.members.has(id)) continue;
      family.members.add(branch);
      if (family.isEnding) return;
      for (const worker of this.#workers) {
        this.#order(worker, { order: 'use', id: branch, family: family.root });
      }
      return;
    }
  }

  /** Resolves when no process is at a session any more. */
  async #drain(id: string): Promise<void> {
    const of = new Set(this.#workers);
    if (of.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#leaving.set(id, { of, done: resolve });
      for (const worker of of) this.#order(worker, { order: 'drop', id });
    });
  }

  #left(id: string, worker: Worker): void {
    const leaving = this.#leaving.get(id);
    leaving?.of.delete(worker);
    if (leaving === undefined || leaving.of.size > 0) return;
    this.#leaving.delete(id);
    leaving.done();
  }

  async #killOne(): Promise<void> {
    const young = [...this.#workers].filter(({ isVeteran }) => !isVeteran);
    for (const { child } of young) {
      child.kill();
      await child.ended;
      this.#kills += 1;
      this.#lastKill = performance.now();
    }
    await this.#start(false);
  }

  async #strike(): Promise<void> {
    this.#strikes.push((await this.#options.strike?.()) ?? '');
  }

  // The sessions.

  async #tend(): Promise<void> {
    const now = performance.now();
    for (const family of this.#families.values()) {
      if (family.until < now) this.#end(family);
      else if (this.#random.between(1, 60) === 1) await this.#deleteOne(family);
    }
    const users = new Set([...this.#families.values()].map(({ user }) => user));
    for (let n = 0; n < families; n++) {
      const user = `u${n}`;
      if (users.has(user)) continue;
      const { sessionId: root } = await this.#surely(() =>
        this.#sessions.manager.create({ userId: user, variables: { n } }),
      );
      const lifeMs = this.#random.between(1, 4) * Math.min(2_000, this.#options.ms / 4);
      const members = new Set([root]);
      this.#families.set(root, { root, user, members, until: now + lifeMs, isEnding: false });
      for (const worker of this.#workers) {
        this.#order(worker, { order: 'use', id: root, family: root });
      }
    }
  }

  /** Calls that must go well in the end, whatever befalls the server. */
  async #surely<T>(call: () => Promise<T>): Promise<T> {
    const until = performance.now() + 60_000;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const isPassing = error instanceof SessionStoreUnavailableError;
        if (!isPassing || performance.now() > until) throw error;
      }
      if (this.#isBroken) throw new GivenUp();
      await pause(100);
    }
  }

  /** Deletes a session while others may be at it; branches go on reading its turns. */
  async #deleteOne(family: Family): Promise<void> {
    const id = this.#random.pick([...family.members]);
    if (family.members.size < 3 || id === family.root) return;
    family.members.delete(id);
    const isAtOnce = this.#random.between(0, 2) === 0;
    const end = async (): Promise<void> => {
      if (isAtOnce) await this.#delete(id);
      await this.#drain(id);
      if (isAtOnce) {
        const [low, high] = this.#ledger.bounds(id);
        this.#turns[0] += low;
        this.#turns[1] += high;
        this.#forget(id);
        return;
      }
      await this.#settled();
      await this.#check(id, await this.#lastOf(id));
      await this.#delete(id);
    };
    await this.#run(end);
  }

  async #delete(id: string): Promise<void> {
    await this.#surely(() => this.#sessions.manager.delete(id).catch(unlessGone));
  }

  #end(family: Family): void {
    if (family.isEnding) return;
    family.isEnding = true;
    void this.#run(async () => {
      await this.#endFamily(family);
      this.#families.delete(family.root);
    });
  }

  async #run(work: () => Promise<void>): Promise<void> {
    const running = work().catch((error) => this.#failed('at the end of a session', error));
    this.#ending.add(running);
    await running;
    this.#ending.delete(running);
  }

  async #endFamily({ members, user }: Family): Promise<void> {
    const drained = new Set<string>();
    // Branches may come while others are left.
    for (;;) {
      const next = [...members].filter((id) => !drained.has(id));
      if (next.length === 0) break;
      for (const id of next) drained.add(id);
      await Promise.all(next.map((id) => this.#drain(id)));
    }
    await this.#settled();
    const rows = await this.#surely(() => this.#store.list({ userId: user, limit: 1_000 }));
    const own = rows.filter(({ sessionId }) => !this.#over.has(sessionId));
    const there = new Map(own.map((row) => [row.sessionId, row]));
    for (const id of members) if (!there.has(id)) await this.#check(id, null);
    for (const { sessionId } of own) await this.#check(sessionId, await this.#lastOf(sessionId));
    const how = this.#random.between(0, 2);
    if (how === 0) for (const { sessionId } of own) this.#over.add(sessionId);
    if (how === 1) for (const { sessionId } of own) await this.#consolidate(sessionId);
    if (how > 0) for (const { sessionId } of own) await this.#delete(sessionId);
  }

  /** A session as it ends. */
  async #lastOf(id: string): Promise<SessionRow | null> {
    const { manager } = this.#sessions;
    if (this.#options.owes) {
      await this.#surely(() => manager.setMetadata(id, { last: 'word' }).catch(unlessEnded));
    }
    return this.#surely(() => this.#store.session(id));
  }

  /** What a process that was killed has sent may still arrive. */
  async #settled(): Promise<void> {
    await pause(Math.max(0, this.#lastKill + 500 - performance.now()));
  }

  async #consolidate(id: string): Promise<void> {
    const { manager, memory } = this.#sessions;
    await this.#surely(() => manager.close(id).catch(unlessEnded));
    const until = performance.now() + 30_000;
    for (;;) {
      const stands = await this.#surely(() => memory.consolidation(id));
      if (stands?.state === 'done') break;
      if (this.#isBroken) throw new GivenUp();
      if (performance.now() > until) {
        this.#faults.push(`${id}: its consolidation is ${stands?.state}`);
        return;
      }
      await this.#surely(() => memory.consolidateOwed());
      await pause(50);
    }
    const { items } = await this.#surely(() => memory.list(id));
    const head = (await this.#surely(() => manager.getState(id))).head.seq;
    const expected = head === 0 ? [] : [`${head} turns`];
    const found = items.map(({ content }) => content);
    if (found.join() !== expected.join()) {
      this.#faults.push(`${id}: remembered '${found}', not '${expected}'`);
    }
  }

  // The checks.

  /** Looks at a session that nobody is at any more. */
  async #check(id: string, row: SessionRow | null): Promise<void> {
    this.#checked += 1;
    if (row === null) {
      this.#faults.push(`${id} is gone`);
      return;
    }
    const timelines = Array.from({ length: row.timelines }, (_, i) => `${id}.${i + 1}`);
    const segments = timelines.map((timelineId) => ({ timelineId, from: 1, to: everything }));
    const page = { limit: everything, order: 'asc' } as const;
    const turns: string[] = [];
    for (const segment of segments) {
      const rows = await this.#surely(() => this.#store.turns([segment], page));
      for (const turn of rows) if (turn.origin === null) turns.push(turn.turnId);
    }
    const lost = this.#ledger.lost(id, new Set(turns));
    this.#lost += lost.length;
    if (lost.length > 0) this.#faults.push(`${id}: lost ${lost.length} turns, first ${lost[0]}`);
    this.#faults.push(...this.#ledger.faults(id, turns));
    this.#faults.push(...(await this.#surely(() => faultsOfSession(this.#store, row))));
    await this.#checkEvents(row);
    this.#turns[0] += row.lifetime.turns;
    this.#turns[1] += row.lifetime.turns;
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#ledger.forget(id);
    this.#heard.delete(id);
  }

  async #checkEvents({ revision, sessionId }: SessionRow): Promise<void> {
    const until = performance.now() + 20_000;
    const heard = (): readonly Noted[] => this.#heard.get(sessionId) ?? [];
    while ((heard().at(-1)?.revision ?? 0) < revision && performance.now() < until) {
      if (this.#isBroken) throw new GivenUp();
      await pause(20);
    }
    const items = await this.#surely(() =>
      this.#store.feed(sessionId, { after: 0, limit: everything }),
    );
    const expected = items.map((item) => ({
      revision: item.revision,
      key: keyOfItem(item, sessionId),
    }));
    for (const fault of faultsIn(heard(), expected)) {
      this.#faults.push(`${sessionId}, as it was told: ${fault}`);
    }
  }

  async #follow(begin: string): Promise<void> {
    for (let after = begin; this.#isFollowing; ) {
      const subscription = this.#sessions.events.subscribe({ after });
      this.#subscription = subscription;
      try {
        for await (const event of subscription) {
          after = event.cursor;
          if (event.type === 'reset') this.#faults.push('a subscriber was told to begin anew');
          const { revision, sessionId } = event;
          if (sessionId === undefined || sessionId === null) continue;
          const notes = this.#heard.get(sessionId) ?? [];
          this.#heard.set(sessionId, notes);
          notes.push({ cursor: after, sessionId, revision: revision ?? 0, key: keyOf(event) });
        }
      } catch (error) {
        if (!(error instanceof SessionStoreUnavailableError)) throw error;
        await pause(100);
      }
    }
  }

  async #look(): Promise<void> {
    const request = { before: Date.now() - journalMs, limit: 1_000 };
    await this.#surely(() => this.#store.collect(request));
    const { failures } = await this.#surely(() => this.#sessions.cleanup.sweep());
    for (const { error } of failures) {
      if (!(error instanceof SessionStoreUnavailableError)) this.#faults.push(`a sweep: ${error}`);
    }
    const measured = (await this.#options.measure?.().catch(() => undefined)) ?? {};
    for (const [name, value] of Object.entries(measured)) this.#gauges.note(name, value);
  }

  #tell(until: number): void {
    const seconds = Math.round((until - performance.now()) / 1_000);
    this.#options.tell?.(
      `${seconds} s to go: ${this.#acknowledged} turns acknowledged, ${this.#checked} sessions looked at, ${this.#kills} kills, ${this.#strikes.length} strikes, ${this.#faults.length} faults`,
    );
  }

  /** Sums are those of the rows; and when all sessions are deleted and time has passed nothing is left. */
  async #checkRest(): Promise<void> {
    const { total } = await this.#surely(() => this.#store.report({ groupBy: 'user', limit: 10 }));
    const [low, high] = this.#turns;
    if (total.turns < low || total.turns > high || total.cost !== total.turns * 1_000) {
      this.#faults.push(
        `reports tell of ${total.turns} turns for ${total.cost} n$, the rows of ${low} to ${high}`,
      );
    }
    let now = Date.now();
    const clock = (): number => now;
    const store = await openUrl(this.#options.url, { clock });
    const cleanup = new SessionCleanupScheduler({ store, config: soakConfig }, { clock });
    for (let round = 0; round < 6; round++) {
      now += 40 * 86_400_000;
      const { failures } = await cleanup.sweep();
      for (const { error } of failures) this.#faults.push(`the last sweep: ${error}`);
      await store.collect({ before: now, limit: 1_000 });
    }
    await store.close();
    const left = await leftAt(this.#options.url);
    if (left.length > 0) this.#faults.push(`left: ${left.slice(0, 10).join(', ')}`);
  }
}

function unlessGone(error: unknown): void {
  if (!isSessionError(error) || error.name !== 'SessionNotFoundError') throw error;
}

function unlessEnded(error: unknown): void {
  if (!isSessionError(error) || error.name === 'SessionStoreUnavailableError') throw error;
}
