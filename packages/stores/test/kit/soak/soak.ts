import {
  createSessions,
  isSessionError,
  SessionStoreUnavailableError,
  type Sessions,
} from '@lexigram/ai-session';
import type { SessionRow } from '@lexigram/ai-session/store';
import { openUrl } from '../open-url.ts';
import { pause } from '../pause.ts';
import { type Random, randomOf } from '../random.ts';
import { Checks } from './checks.ts';
import { Gauges } from './gauges.ts';
import { Trouble } from './trouble.ts';
import { consolidator, type SoakOrder, type SoakWord, soakConfig } from './words.ts';
import { Workers } from './workers.ts';

export interface SoakOptions {
  readonly url: string;
  readonly ms: number;
  readonly seed: number;
  /** What befalls the store's server now and then; resolves when all is well again. */
  readonly strike?: () => Promise<string>;
  /**
   * What a process owed when it was killed is there only after the next write or a sweep; and a failover may lose
   * acknowledged turns, which are counted.
   */
  readonly isCluster?: boolean;
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

const families = 5;
const leastTurns = 50;
const killMs = 4_000;
const strikeMs = 15_000;
/** How long the journal is kept; longer than any session is worked on, so that all its events can be looked at. */
const journalMs = 40_000;

/**
 * Processes that do all that can be done to some families of sessions at random, while they are killed and started again
 * and their server is struck. Each session is looked at when its time is over; in the end nothing may be left.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const store = await openUrl(options.url, { callTimeoutMs: 10_000 });
  const sessions = await createSessions(soakConfig, { store, consolidator });
  await sessions.cleanup.stop();
  try {
    return await new Soak(options, sessions).run();
  } finally {
    await sessions.close();
    await store.close();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #sessions: Sessions;
  readonly #random: Random;
  readonly #trouble = new Trouble();
  readonly #checks: Checks;
  readonly #workers: Workers;
  readonly #refusals = new Map<string, number>();
  readonly #strikes: string[] = [];
  readonly #families = new Map<string, Family>();
  /** Sessions that were looked at and are left to run out. */
  readonly #over = new Set<string>();
  /** Sessions that are deleted alone while their families go on. */
  readonly #parting = new Set<string>();
  readonly #ending = new Set<Promise<void>>();
  #gauges = new Gauges();
  #isOver = false;
  #acknowledged = 0;
  #commands: { readonly commands: number; readonly turns: number } | undefined;

  constructor(options: SoakOptions, sessions: Sessions) {
    const { isCluster = false, seed, twin, url } = options;
    this.#options = options;
    this.#sessions = sessions;
    this.#random = randomOf(seed);
    const note = (name: string, value: number) => this.#gauges.note(name, value);
    this.#checks = new Checks(sessions, this.#trouble, isCluster, note);
    const hear = (word: SoakWord, isVeteran: boolean) => this.#hear(word, isVeteran);
    this.#workers = new Workers(
      { url, seed, twin, orders: () => this.#orders(), hear },
      this.#trouble,
    );
  }

  async run(): Promise<SoakReport> {
    const { ms, strike, url } = this.#options;
    const subscription = this.#sessions.events.subscribe({});
    const begin = await subscription.start;
    await subscription.return();
    const following = this.#checks.follow(begin);
    await Promise.all([this.#workers.start(true), this.#workers.start(false)]);
    this.#gauges = new Gauges();
    const until = performance.now() + ms;
    const tasks = [
      this.#every(100, () => this.#tend()),
      this.#every(Math.max(700, Math.min(killMs, ms / 3)), () => this.#workers.killOne()),
      this.#every(1_000, () => this.#look()),
      this.#every(5_000, async () => this.#tell(until)),
    ];
    if (strike !== undefined) {
      tasks.push(this.#every(strikeMs, async () => void this.#strikes.push(await strike())));
    }
    // A busy machine takes longer until there is something to look at.
    const isEnough = () => performance.now() >= until && this.#acknowledged >= leastTurns;
    while (!isEnough() && !this.#trouble.isThere) await pause(50);
    this.#isOver = true;
    await Promise.all(tasks);
    for (const family of this.#families.values()) this.#end(family);
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    this.#workers.end();
    await this.#checks.followNoMore();
    await following;
    if (!this.#trouble.isThere) await this.#checks.checkRest(url);
    return {
      faults: this.#trouble.faults,
      acknowledged: this.#acknowledged,
      lost: this.#checks.lost,
      checked: this.#checks.checked,
      kills: this.#workers.kills,
      strikes: this.#strikes,
      gauges: this.#gauges,
      refusals: this.#refusals,
    };
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      for (let left = ms; left > 0 && !this.#isOver; left -= 50) await pause(Math.min(50, left));
      if (this.#isOver) return;
      try {
        await work();
      } catch (error) {
        this.#trouble.failed('it failed', error);
      }
    }
  }

  #hear(word: SoakWord, isVeteran: boolean): void {
    const { ledger } = this.#checks;
    switch (word.did) {
      case 'try':
        ledger.tried(word.id, word.turns);
        return;
      case 'refused':
        ledger.refused(word.id, word.turns);
        return;
      case 'add':
        this.#acknowledged += word.turns.length;
        this.#gauges.note('latency', word.ms);
        ledger.added(word.id, word.turns);
        return;
      case 'fork':
        this.#adopt(word.id, word.branch);
        return;
      case 'error':
        this.#refusals.set(word.name, (this.#refusals.get(word.name) ?? 0) + 1);
        return;
      case 'fault':
        this.#trouble.say(word.what);
        return;
      case 'measure':
        if (!isVeteran) return;
        for (const name of ['heap', 'rss', 'sockets', 'timers', 'late'] as const) {
          this.#gauges.note(name, word[name]);
        }
        return;
      default:
    }
  }

  *#orders(): Iterable<SoakOrder> {
    for (const { isEnding, members, root } of this.#families.values()) {
      if (isEnding) continue;
      for (const id of members) yield { order: 'use', id, family: root };
    }
  }

  #adopt(id: string, branch: string): void {
    for (const { isEnding, members, root } of this.#families.values()) {
      if (!members.has(id)) continue;
      members.add(branch);
      if (!isEnding) this.#workers.tell({ order: 'use', id: branch, family: root });
      return;
    }
  }

  async #tend(): Promise<void> {
    const now = performance.now();
    for (const family of this.#families.values()) {
      if (family.until < now) this.#end(family);
      else if (this.#random.between(1, 60) === 1) void this.#deleteOne(family);
    }
    const users = new Set([...this.#families.values()].map(({ user }) => user));
    for (let n = 0; n < families; n++) {
      const user = `u${n}`;
      if (users.has(user)) continue;
      const given = { userId: user, variables: { n } };
      const { manager } = this.#sessions;
      const { sessionId: root } = await this.#trouble.surely(() => manager.create(given));
      const lifeMs = this.#random.between(1, 4) * Math.min(2_000, this.#options.ms / 4);
      const members = new Set([root]);
      this.#families.set(root, { root, user, members, until: now + lifeMs, isEnding: false });
      this.#workers.tell({ order: 'use', id: root, family: root });
    }
  }

  /** Deletes a session, some while others are at it; branches go on reading its turns. */
  async #deleteOne({ members, root }: Family): Promise<void> {
    const id = this.#random.pick([...members]);
    if (members.size < 3 || id === root) return;
    members.delete(id);
    this.#parting.add(id);
    const isAtOnce = this.#random.between(0, 2) === 0;
    await this.#run(async () => {
      if (isAtOnce) await this.#delete(id);
      await this.#workers.drain(id);
      if (isAtOnce) {
        this.#checks.deleted(id);
        return;
      }
      await this.#settled();
      await this.#checks.check(id, await this.#lastOf(id));
      await this.#delete(id);
    });
  }

  async #delete(id: string): Promise<void> {
    const { manager } = this.#sessions;
    await this.#trouble.surely(() => manager.delete(id).catch(unlessRefused));
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
    const running = work().catch((error) => this.#trouble.failed('the end of a session', error));
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
      await Promise.all(next.map((id) => this.#workers.drain(id)));
    }
    await this.#settled();
    const { store } = this.#sessions;
    const page = { userId: user, limit: 1_000 };
    const rows = await this.#trouble.surely(() => store.list(page));
    const isOthers = (id: string): boolean => this.#over.has(id) || this.#parting.has(id);
    const own = new Set(rows.map(({ sessionId }) => sessionId).filter((id) => !isOthers(id)));
    for (const id of members) if (!own.has(id)) await this.#checks.check(id, null);
    for (const id of own) await this.#checks.check(id, await this.#lastOf(id));
    const how = this.#random.pick(['left', 'consolidated', 'deleted']);
    for (const id of own) {
      if (how === 'left') this.#over.add(id);
      if (how === 'consolidated') await this.#consolidate(id);
      if (how !== 'left') await this.#delete(id);
    }
  }

  /** A session as it ends. */
  async #lastOf(id: string): Promise<SessionRow | null> {
    const { manager, store } = this.#sessions;
    if (this.#options.isCluster === true) {
      const call = () => manager.setMetadata(id, { last: 'word' }).catch(unlessRefused);
      await this.#trouble.surely(call);
    }
    return this.#trouble.surely(() => store.session(id));
  }

  /** What a process that was killed has sent may still arrive. */
  async #settled(): Promise<void> {
    await pause(Math.max(0, this.#workers.lastKill + 500 - performance.now()));
  }

  async #consolidate(id: string): Promise<void> {
    const { manager, memory } = this.#sessions;
    await this.#trouble.surely(() => manager.close(id).catch(unlessRefused));
    const until = performance.now() + 30_000;
    for (;;) {
      const stands = await this.#trouble.surely(() => memory.consolidation(id));
      if (stands?.state === 'done') break;
      this.#trouble.check();
      if (performance.now() > until) {
        this.#trouble.say(`${id}: its consolidation is ${stands?.state}`);
        return;
      }
      await this.#trouble.surely(() => memory.consolidateOwed());
      await pause(50);
    }
    const { items } = await this.#trouble.surely(() => memory.list(id));
    const { head } = await this.#trouble.surely(() => manager.getState(id));
    const expected = head.seq === 0 ? '' : `${head.seq} turns`;
    const found = items.map(({ content }) => content).join();
    if (found !== expected) this.#trouble.say(`${id}: remembers '${found}', not '${expected}'`);
  }

  async #look(): Promise<void> {
    const { cleanup, store } = this.#sessions;
    const request = { before: Date.now() - journalMs, limit: 1_000 };
    await this.#trouble.surely(() => store.collect(request));
    const { failures } = await this.#trouble.surely(() => cleanup.sweep());
    for (const { error } of failures) {
      if (!(error instanceof SessionStoreUnavailableError)) this.#trouble.say(`a sweep: ${error}`);
    }
    const measured = (await this.#options.measure?.().catch(() => undefined)) ?? {};
    for (const [name, value] of Object.entries(measured)) {
      if (name === 'commands') this.#noteCommands(value);
      else this.#gauges.note(name, value);
    }
  }

  /** What the servers have to do for a turn, and all that comes with it: on a busy machine it tells more than time. */
  #noteCommands(commands: number): void {
    const turns = this.#acknowledged;
    const before = this.#commands;
    this.#commands = { commands, turns };
    // One that was started again has counted from 0.
    if (before === undefined || commands < before.commands || turns === before.turns) return;
    const each = (commands - before.commands) / (turns - before.turns);
    this.#gauges.note('commands a turn', each);
  }

  #tell(until: number): void {
    const seconds = Math.round((until - performance.now()) / 1_000);
    const counts = [
      `${this.#acknowledged} turns acknowledged`,
      `${this.#checks.checked} sessions looked at`,
      `${this.#workers.kills} processes killed`,
      `${this.#strikes.length} strikes`,
      `${this.#trouble.faults.length} faults`,
    ];
    this.#options.tell?.(`${seconds} s to go: ${counts.join(', ')}`);
  }
}

/** Others may have been faster to delete it, or it has ended by itself. */
function unlessRefused(error: unknown): void {
  if (!isSessionError(error) || error.name === 'SessionStoreUnavailableError') throw error;
}
