import {
  createSessions,
  isSessionError,
  SessionCleanupScheduler,
  SessionCorruptDataError,
  type SessionStore,
  type Sessions,
  type SessionTurn,
} from '@lexigram/ai-session';
import type { OpenStore } from '@lexigram/ai-session-contract';
import { expect } from 'vitest';
import { faultsOf } from './database-faults.ts';
import { type Random, randomOf } from './random.ts';

const config = {
  sessionTtl: 0,
  maxTurnsPerSession: 100_000,
  maxBranchesPerSession: 50,
  maxSessionsPerUser: 1_000,
  autoCheckpointInterval: 5,
  maxCheckpointsPerSession: 4,
};

/** What the test knows of a session without asking the store. */
interface Known {
  readonly id: string;
  /** 0 for the first session, up to 2. */
  readonly generation: number;
  /** Every turn that its history may ever show, by where it was first written. */
  readonly allowed: Set<string>;
  /** Acknowledged turns of its own. */
  readonly written: string[];
  deleted: boolean;
}

/** A family of three generations, written to, forked, merged, moved and deleted at random, several at a time. */
class Interleaving {
  readonly #random: Random;
  readonly #sessions: Sessions;
  readonly #store: SessionStore;
  readonly #known: Known[] = [];
  /** What a session came to know of another one during a round: the other's turns may be shown too. */
  #learned: (readonly [Known, Known])[] = [];
  #turns = 0;

  constructor(random: Random, sessions: Sessions) {
    this.#random = random;
    this.#sessions = sessions;
    this.#store = sessions.store;
  }

  async run(rounds: number): Promise<void> {
    const { sessionId } = await this.#sessions.manager.create({ userId: 'u' });
    this.#know(sessionId, 0, null);
    for (let n = 0; n < 2; n++) await this.#write(this.#known[0] as Known);
    for (let round = 0; round < rounds && this.#living().length > 0; round++) {
      const acts = Array.from({ length: this.#random.between(1, 5) }, () => this.#act());
      const settled = await Promise.allSettled(acts.map((act) => act()));
      for (const one of settled) if (one.status === 'rejected') checkRefusal(one.reason);
      this.#learn();
      for (const known of this.#known) await this.#check(known);
    }
    expect(await faultsOf(this.#store)).toEqual([]);
  }

  #know(id: string, generation: number, from: Known | null): Known {
    const allowed = new Set(from?.allowed);
    const known = { id, generation, allowed, written: [], deleted: false };
    this.#known.push(known);
    if (from !== null) this.#learned.push([known, from]);
    return known;
  }

  /** Those who learned of others that learned themselves in the same round know it all. */
  #learn(): void {
    for (let grew = true; grew; ) {
      grew = false;
      for (const [who, from] of this.#learned) {
        const before = who.allowed.size;
        for (const key of from.allowed) who.allowed.add(key);
        grew ||= who.allowed.size > before;
      }
    }
    this.#learned = [];
  }

  #living(): readonly Known[] {
    return this.#known.filter(({ deleted }) => !deleted);
  }

  #act(): () => Promise<unknown> {
    const { branches, checkpoints, manager } = this.#sessions;
    const one = this.#random.pick(this.#living());
    const other = this.#random.pick(this.#living());
    const seq = this.#random.between(0, 6);
    const n = this.#random.between(0, 3);
    switch (this.#random.between(1, 16)) {
      case 1:
      case 2:
      case 3:
        return () => this.#write(one);
      case 4:
      case 5:
        return () => this.#fork(one, seq);
      case 6:
      case 7:
      case 8:
      case 9:
        return () => {
          this.#learned.push([one, other]);
          return branches.merge(one.id, other.id);
        };
      case 10:
        return () => manager.rewind(one.id, { toSeq: seq });
      case 11:
        return () => manager.undo(one.id);
      case 12:
        return () => manager.redo(one.id);
      case 13:
        return async () => {
          const shown = await this.#history(other.id);
          const turn = shown[shown.length - 1 - n];
          this.#learned.push([one, other]);
          if (turn !== undefined) await manager.select(one.id, turn.turnId);
        };
      case 14:
        return async () => {
          const { items } = await checkpoints.list(one.id);
          const checkpoint = items[n];
          if (checkpoint !== undefined) await checkpoints.restore(checkpoint.checkpointId);
        };
      case 15:
        return () => manager.setVariables(one.id, { [`v${n}`]: this.#turns++ });
      default:
        return () => (this.#living().length > 3 ? this.#delete(one, n === 0) : this.#write(one));
    }
  }

  async #write(known: Known): Promise<void> {
    const count = this.#random.between(1, 40) === 1 ? 100 : this.#random.between(1, 3);
    const turns = Array.from({ length: count }, () => {
      const turnId = `${this.#turns++}`;
      return { turnId, role: 'user' as const, content: `${known.id} ${turnId}` };
    });
    for (const { turnId } of turns) known.allowed.add(`${known.id} ${turnId}`);
    await this.#sessions.manager.addTurns(known.id, turns);
    for (const { turnId } of turns) known.written.push(turnId);
  }

  async #fork(parent: Known, atSeq: number): Promise<void> {
    if (parent.generation === 2) return;
    const options = atSeq === 6 ? {} : { atSeq };
    const made = await this.#sessions.branches.fork(parent.id, 'b', options);
    this.#know(made.sessionId, parent.generation + 1, parent);
  }

  async #delete(known: Known, withBranches: boolean): Promise<void> {
    await this.#sessions.manager.delete(known.id, { withBranches });
    for (const one of this.#known) {
      if (one.deleted) continue;
      one.deleted = (await this.#store.session(one.id)) === null;
    }
  }

  async #history(id: string): Promise<readonly SessionTurn[]> {
    return (await this.#sessions.manager.getState(id, { turns: 'all' })).turns;
  }

  async #check(known: Known): Promise<void> {
    if ((await this.#store.session(known.id)) === null) known.deleted = true;
    if (known.deleted) return;
    const turns = await this.#history(known.id);
    const shown = turns.map(({ content }) => String(content));
    expect(turns.map(({ seq }) => seq)).toEqual(turns.map((_, i) => i + 1));
    expect(new Set(shown).size, 'each turn once').toBe(shown.length);
    const strange = shown.filter((text) => !known.allowed.has(text));
    expect(strange, `not on the lineage of ${known.id}`).toEqual([]);
    for (const turnId of known.written.slice(-5)) {
      const found = await this.#store.findTurns(turnId, [known.id]);
      expect(found.filter(({ origin }) => origin === null)).toHaveLength(1);
    }
  }

  /** Deletes some sessions, then all: what stays is what living histories read, and in the end nothing. */
  async finish(cleanup: SessionCleanupScheduler): Promise<void> {
    for (const known of this.#living()) {
      if (this.#random.between(0, 2) === 0) await this.#delete(known, false);
    }
    await cleanup.sweep();
    await this.#checkRest();
    for (const known of this.#known) await this.#check(known);
    for (const known of this.#living()) await this.#delete(known, false);
    await cleanup.sweep();
    await this.#checkRest();
  }

  /** Turns that are left of deleted sessions, against those that living sessions read. */
  async #checkRest(): Promise<void> {
    const read = new Map<string, number>();
    const reads = (timelineId: string, to: number): void => {
      read.set(timelineId, Math.max(read.get(timelineId) ?? 0, to));
    };
    const readsBase = async (id: string, upTo: number): Promise<void> => {
      const [timeline] = await this.#store.timelines([id]);
      for (const { from, timelineId } of timeline?.lineage ?? []) {
        const next = timeline?.lineage.find((entry) => entry.from > from);
        const to = next === undefined ? (timeline?.base?.seq ?? 0) : next.from - 1;
        if (from <= upTo) reads(timelineId, Math.min(to, upTo));
      }
    };
    for (const { id } of this.#living()) {
      const row = await this.#store.session(id);
      for (let n = 1; n <= (row?.timelines ?? 0); n++) {
        await readsBase(`${id}.${n}`, Number.MAX_SAFE_INTEGER);
      }
      // A selection that another move overtook holds what it was about to read as long as its session is there.
      for (const other of this.#known) {
        const hold = other.deleted ? await this.#store.record(other.id, 'hold', id) : null;
        for (const [, n, seq] of hold?.value.matchAll(/\[(\d+),(\d+)/g) ?? []) {
          reads(`${other.id}.${n}`, Number(seq));
          await readsBase(`${other.id}.${n}`, Number(seq));
        }
      }
    }
    for (const { deleted, id } of this.#known) {
      if (!deleted) continue;
      for (let n = 1; n <= 90; n++) {
        const timelineId = `${id}.${n}`;
        const own = [{ timelineId, from: 1, to: Number.MAX_SAFE_INTEGER }];
        const left = await this.#store.turns(own, { limit: 1_000, order: 'asc' });
        expect(left.at(-1)?.seq ?? 0, timelineId).toBeLessThanOrEqual(read.get(timelineId) ?? 0);
        if (this.#living().length > 0) continue;
        expect(await this.#store.timelines([timelineId]), timelineId).toEqual([null]);
      }
      if (this.#living().length > 0) continue;
      for (const kind of ['branch', 'hold', 'held', 'staged']) {
        expect(await this.#store.records(id, kind, { limit: 9 }), kind).toEqual([]);
      }
    }
  }
}

/** What calls may be refused with when others are faster; damage is never one of it. */
function checkRefusal(error: unknown): void {
  if (!isSessionError(error) || error instanceof SessionCorruptDataError) throw error;
}

/**
 * One run over a store of its own; the same seed does the same, as far as the store keeps the order of what is asked
 * in one tick.
 *
 * @throws an Error that names the seed
 */
export async function interleave(
  seed: number,
  open: (clock: () => number) => Promise<SessionStore>,
): Promise<void> {
  try {
    await interleaveOnce(seed, open);
  } catch (cause) {
    throw new Error(`with the seed ${seed}: ${cause}`, { cause });
  }
}

async function interleaveOnce(
  seed: number,
  open: (clock: () => number) => Promise<SessionStore>,
): Promise<void> {
  let now = Date.UTC(2026, 2, 1);
  const store = await open(() => now);
  const sessions = await createSessions(config, { store });
  const run = new Interleaving(randomOf(seed), sessions);
  await run.run(14);
  now += 120_000;
  await run.finish(new SessionCleanupScheduler({ store, config }, { clock: () => now }));
  await sessions.close();
}

/** The same over a store that is opened for a run and removed behind it. */
export async function interleaveOn(seed: number, openStore: OpenStore): Promise<void> {
  let opened: Awaited<ReturnType<OpenStore>> | undefined;
  try {
    await interleave(seed, async (clock) => {
      opened = await openStore({ clock });
      return opened.store;
    });
  } finally {
    await opened?.dispose();
  }
}
