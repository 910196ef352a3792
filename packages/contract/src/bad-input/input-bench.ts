import assert from 'node:assert/strict';
import type { OpenedStore, OpenStore } from '../law.ts';
import { checkPrototypes, checkRefusal } from './check-refusal.ts';
import { changeOf, digestOf } from './digest.ts';
import { type Opened, openFixture } from './fixture.ts';
import type { BadInputRow, GoodInputRow } from './row.ts';
import { type WatchedStore, watchStore } from './watched-store.ts';

/** The store's time stands still, so that what changes is changed by a call. */
const now = Date.UTC(2026, 2, 1, 9, 30);

/** Refusing takes milliseconds; this is for a machine that does other things too. */
const patienceMs = 5_000;

/** After so many rows everything is looked at, also if no row asked the store to write. */
const looks = 100;

interface Trial extends Opened {
  readonly watch: WatchedStore;
  readonly digest: string;
}

/**
 * The stores that rows run on. Rows that must leave a store as it is share one, which is replaced once a row
 * has failed; those that write have another.
 */
export class InputBench {
  readonly #open: OpenStore;
  readonly #stores: OpenedStore[] = [];
  #shared: Promise<Trial> | undefined;
  #aside: Promise<Trial> | undefined;
  #rows = 0;

  constructor(open: OpenStore) {
    this.#open = open;
  }

  /** Rejects unless the call is refused as the row says and nothing is written. */
  async refuses(row: BadInputRow): Promise<void> {
    this.#shared ??= this.#begin();
    const trial = await this.#shared;
    try {
      const begun = performance.now();
      const error = await faultOf(row, trial);
      const took = performance.now() - begun;
      assert.ok(took < patienceMs, `the call took ${Math.round(took)} ms to be refused`);
      checkPrototypes();
      await this.#checkUntouched(trial);
      checkRefusal(error, row);
    } catch (error) {
      this.#shared = undefined;
      throw error;
    }
  }

  /** A store that was not asked to write has written nothing; else all that it holds is compared. */
  async #checkUntouched({ digest, sessions, watch }: Trial): Promise<void> {
    this.#rows += 1;
    if (!watch.wasWritten() && this.#rows % looks !== 0) return;
    const after = await digestOf(sessions);
    if (after !== digest) {
      assert.fail(`a refused call has written: ${changeOf(digest, after)}`);
    }
  }

  /** Rejects unless the call passes, and what comes out is what went in. */
  async passes(row: GoodInputRow): Promise<void> {
    this.#aside ??= this.#begin();
    const { sessions } = await this.#aside;
    this.#rows += 1;
    await row.call(sessions, `good-${this.#rows}`);
    checkPrototypes();
  }

  async #begin(): Promise<Trial> {
    const opened = await this.#open({ clock: () => now });
    this.#stores.push(opened);
    const watch = watchStore(opened.store);
    const fixture = await openFixture(watch.store, opened.services);
    const digest = await digestOf(fixture.sessions);
    watch.wasWritten();
    return { ...fixture, watch, digest };
  }

  async dispose(): Promise<void> {
    for (const opened of this.#stores) await opened.dispose();
  }
}

/** What a call throws, or an error that it did not answer at all; undefined if it was accepted. */
async function faultOf({ call }: BadInputRow, { fixture, sessions }: Opened): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Error>((resolve) => {
    timer = setTimeout(resolve, patienceMs, new Error(`no answer in ${patienceMs} ms`));
  });
  const answered = call(sessions, fixture).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
