import { halfway, type RunRedis } from './client.ts';
import type { Due } from './due.ts';
import type { RedisEngine } from './engine.ts';
import type { FeedElement } from './flush.ts';
import type { Keys } from './keys.ts';
import type { Placement } from './placement.ts';
import { newVersion, type State, versionMark, writeState } from './rows.ts';
import { FlushSteps } from './steps.ts';

/** Sessions that are looked at in one go. */
const span = 100;

/** An entry of the log, and what of it is left in the session's feed. */
interface Noted {
  readonly id: string;
  readonly sessionId: string;
  /** Null if nothing was noted there beside turns. */
  readonly feed: { readonly index: number; readonly left: string; readonly state: State } | null;
}

/** Drops what is too old for anybody to ask for. */
export class Collector {
  readonly #run: RunRedis;
  readonly #engine: RedisEngine;
  readonly #placement: Placement;
  readonly #keys: Keys;
  readonly #due: Due;

  constructor(run: RunRedis, engine: RedisEngine, placement: Placement, keys: Keys, due: Due) {
    this.#run = run;
    this.#engine = engine;
    this.#placement = placement;
    this.#keys = keys;
    this.#due = due;
  }

  /** As much of it as there is time for; how much that was. */
  async collect(before: number, limit: number, until: number): Promise<number> {
    const enough = halfway(until);
    let dropped = await this.#collectLog(before, limit, enough, until);
    dropped += await this.#collectOperations(limit - dropped, enough, until);
    return dropped + (await this.#collectTombstones(before, limit - dropped, enough, until));
  }

  /** Drops the oldest entries of the log, and of the sessions' feeds what was noted beside the turns. */
  async #collectLog(before: number, limit: number, enough: number, until: number): Promise<number> {
    if (limit <= 0) return 0;
    const { dropped, log } = this.#keys;
    const read = (await this.#run(['XRANGE', log, '-', '+', 'COUNT', limit], until)) as [
      string,
      string[],
    ][];
    const young = read.findIndex(([, fields]) => Number(fields[7] ?? '') >= before);
    const old = young < 0 ? read : read.slice(0, young);
    const last = old.at(-1)?.[0];
    if (last === undefined) return 0;
    // Who reads on from before them learns of it before anything of them is gone.
    await this.#engine.note([['raise', dropped, last]], until);
    const gone: string[] = [];
    for (let at = 0; at < old.length; at += span) {
      const page = old.slice(at, at + span);
      const noted = await Promise.all(page.map((entry) => this.#notedAt(entry, until)));
      for (const { feed, id, sessionId } of noted) {
        if (performance.now() >= enough) break;
        if (feed !== null && !(await this.#strip(sessionId, feed, until))) break;
        gone.push(id);
      }
      if (gone.length < at + page.length) break;
    }
    if (gone.length > 0) await this.#engine.note([['XDEL', log, ...gone]], until);
    return gone.length;
  }

  async #notedAt([id, fields]: [string, string[]], until: number): Promise<Noted> {
    const [, sessionId = '', , revision = ''] = fields;
    const base = this.#keys.base(sessionId);
    const { answers, state } = await this.#engine.ask(
      sessionId,
      [
        ['feed', Number(revision) - 1, 1],
        ['GET', `${base}fo`],
      ],
      until,
    );
    const [[text], gone] = answers as [string[], string | null];
    const index = Number(revision) - 1 - Number(gone ?? 0);
    const element = JSON.parse(text ?? '{}') as FeedElement;
    if (state === undefined || index < 0 || element.j === undefined) {
      return { id, sessionId, feed: null };
    }
    const left = JSON.stringify(element.t === undefined ? {} : { t: element.t });
    return { id, sessionId, feed: { index, left, state } };
  }

  /** Whether it was done: the session may have changed meanwhile. */
  async #strip(
    sessionId: string,
    { index, left, state }: NonNullable<Noted['feed']>,
    until: number,
  ): Promise<boolean> {
    const steps = new FlushSteps();
    steps.check('version', '', '', versionMark(state.version));
    steps.step('LSET', `${this.#keys.base(sessionId)}f`, index, left);
    return (await this.#engine.send(sessionId, steps, until)) === 'done';
  }

  async #collectOperations(limit: number, enough: number, until: number): Promise<number> {
    if (limit <= 0 || performance.now() >= enough) return 0;
    const due = await this.#due.dueRecords(['operation'], this.#engine.now(), limit, until);
    let dropped = 0;
    for (const { record, sessionId } of due) {
      if (performance.now() >= enough) break;
      const { state } = await this.#engine.ask(sessionId, [], until);
      if (state === undefined) continue;
      const { dueRecords, register } = this.#keys;
      const base = this.#keys.base(sessionId);
      const steps = new FlushSteps();
      // A change of the session that nobody sees.
      steps.check('version', '', '', versionMark(state.version));
      steps.step('SET', `${base}s`, writeState(newVersion(), state.row));
      steps.step('unrecord', base, record.kind, record.key);
      steps.aside(register, 'ZREM', `${dueRecords}${record.kind}`, `${sessionId}\n${record.key}`);
      if ((await this.#engine.send(sessionId, steps, until)) === 'done') dropped += 1;
    }
    return dropped;
  }

  async #collectTombstones(
    before: number,
    limit: number,
    enough: number,
    until: number,
  ): Promise<number> {
    const { tombstones } = this.#keys;
    let dropped = 0;
    let passed = 0;
    while (dropped < limit && performance.now() < enough) {
      const range = ['-inf', `(${before}`, 'LIMIT', passed, Math.min(span, limit - dropped)];
      const ids = (await this.#run(['ZRANGEBYSCORE', tombstones, ...range], until)) as string[];
      if (ids.length === 0) break;
      const found = await Promise.all(ids.map((id) => this.#dropTombstone(id, until)));
      const gone = ids.filter((_, i) => found[i] === 'gone');
      const held = ids.filter((_, i) => found[i] === 'held');
      dropped += gone.length;
      passed += ids.length - gone.length - held.length;
      const steps: (readonly (string | number)[])[] = [];
      if (gone.length > 0) steps.push(['ZREM', tombstones, ...gone]);
      // What a branch reads is looked at again when it is let go, or in as much time as has passed.
      const later = this.#engine.now();
      if (held.length > 0) {
        steps.push(['ZADD', tombstones, 'XX', ...held.flatMap((id) => [later, id])]);
      }
      await this.#engine.note(steps, until);
    }
    return dropped;
  }

  async #dropTombstone(sessionId: string, until: number): Promise<'gone' | 'held' | 'busy'> {
    const base = this.#keys.base(sessionId);
    const { answers, state } = await this.#engine.ask(
      sessionId,
      [
        ['HLEN', `${base}tl`],
        ['SMEMBERS', `${base}kinds`],
      ],
      until,
    );
    if (state === undefined) return 'gone';
    const [timelines, kinds] = answers as [number, string[]];
    const isLeft = timelines > 0 || !(await this.#areEmpty(base, kinds, until));
    if (isLeft || state.row.dueAt !== null) return 'held';
    if (!(await this.#placement.settleLast(sessionId, until))) return 'busy';
    const steps = new FlushSteps();
    steps.check('version', '', '', versionMark(state.version));
    const own = ['s', 'o', 'bm', 'b', 'i', 'c', 'm', 'f', 'fo', 'kinds', 'tl', 'x', 'xt', 'xp'];
    steps.step('DEL', ...own.map((name) => `${base}${name}`));
    return (await this.#engine.send(sessionId, steps, until)) === 'done' ? 'gone' : 'busy';
  }

  async #areEmpty(base: string, kinds: readonly string[], until: number): Promise<boolean> {
    for (const kind of kinds) {
      if (((await this.#run(['HLEN', `${base}r:${kind}`], until)) as number) > 0) return false;
    }
    return true;
  }
}
