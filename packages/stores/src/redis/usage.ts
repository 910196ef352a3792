import { type SessionWrites, UsageLedger, usageSums } from '@lexigram/ai-session/store';
import type { RunRedis } from './client.ts';
import type { Keys } from './keys.ts';
import { flushScript } from './scripts.ts';
import { FlushSteps, integer } from './steps.ts';

/** A row of sums as it waits: day, field, and the sums in the order of `usageSums`. */
type Waiting = readonly [day: number, id: string, sums: readonly number[]];

/** What turns used, as a line that is written with them; copies were counted where they were first written. */
export function usageLine({ row, turns }: SessionWrites): string | null {
  const ledger = new UsageLedger();
  const owner = { tenantId: row.tenantId, userId: row.userId };
  for (const turn of turns) if (turn.origin === null) ledger.add(owner, turn);
  const rows: Waiting[] = [];
  for (const by of ['model', 'tool'] as const) {
    for (const { agent, day, model, sums, tool } of ledger.rows(by)) {
      const of = by === 'model' ? [model, agent] : [tool];
      // The row's name; the number of a sum follows it.
      const id = `${JSON.stringify([by, row.tenantId, row.userId, ...of])}#`;
      rows.push([day, id, usageSums.map((name) => sums[name])]);
    }
  }
  return rows.length === 0 ? null : JSON.stringify(rows);
}

/** Lines that are added up at a time, and commits of a process after which it does. */
const atOnce = 500;
const commitsBetween = 250;

/** Adds up what waits, into one hash for each day: a turn only leaves a line, so that it costs little. */
export class Rollup {
  readonly #run: RunRedis;
  readonly #keys: Keys;
  readonly #until: () => number;
  #commits = 0;
  #working: Promise<void> | undefined;

  constructor(run: RunRedis, keys: Keys, until: () => number) {
    this.#run = run;
    this.#keys = keys;
    this.#until = until;
  }

  /** After a commit of this process: now and then its lines are added up, and nobody waits for it. */
  committed(): void {
    this.#commits += 1;
    if (this.#commits < commitsBetween || this.#working !== undefined) return;
    this.#commits = 0;
    // What fails stays in line for the next one.
    const work = this.fold(this.#until()).catch(() => {});
    this.#working = work.finally(() => {
      this.#working = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#working;
  }

  /** Adds up all that waits now. */
  async fold(until: number): Promise<void> {
    for (;;) {
      const folds = ((await this.#run(['GET', this.#keys.folds], until)) as string | null) ?? '';
      const range = [this.#keys.waiting, 0, atOnce - 1];
      const lines = (await this.#run(['LRANGE', ...range], until)) as string[];
      if (lines.length === 0) return;
      const steps = new FlushSteps();
      // Whoever was faster took other lines away.
      steps.check('equal', this.#keys.folds, '', folds);
      steps.step('SET', this.#keys.folds, Number(folds) + 1);
      for (const [day, words] of addedUp(lines)) {
        steps.step('add', `${this.#keys.usage}${day}`, this.#keys.usage, day, ...words);
      }
      steps.step('LTRIM', this.#keys.waiting, lines.length, -1);
      const call = { script: flushScript, keys: [this.#keys.folds], words: steps.words };
      const [outcome] = (await this.#run(call, until)) as ['done' | 'moved'];
      if (outcome === 'done' && lines.length < atOnce) return;
    }
  }
}

/** By day: fields and what is added to each. */
function addedUp(lines: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const days = new Map<number, Map<string, number[]>>();
  for (const line of lines) {
    for (const [day, id, sums] of JSON.parse(line) as Waiting[]) {
      const rows = days.get(day) ?? new Map<string, number[]>();
      days.set(day, rows);
      const row = rows.get(id);
      if (row === undefined) rows.set(id, [...sums]);
      else for (const [at, sum] of sums.entries()) row[at] = (row[at] ?? 0) + sum;
    }
  }
  const words = new Map<number, readonly string[]>();
  for (const [day, rows] of days) {
    const fields = [...rows].flatMap(([id, sums]) =>
      sums.flatMap((sum, at) => (sum > 0 ? [`${id}${at}`, integer(sum)] : [])),
    );
    words.set(day, fields);
  }
  return words;
}
