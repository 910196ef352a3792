import { type Child, startChild } from '../children.ts';
import type { Trouble } from './trouble.ts';
import type { SoakOrder, SoakWord } from './words.ts';

const script = new URL('../../children/soak.ts', import.meta.url);
const loops = 3;

interface Worker {
  readonly child: Child;
  /** The first one is never killed: what it holds is measured all along. */
  readonly isVeteran: boolean;
}

interface WorkersOptions {
  readonly url: string;
  readonly seed: number;
  readonly twin?: string | undefined;
  /** What a process is told to begin with. */
  readonly orders: () => Iterable<SoakOrder>;
  readonly hear: (word: SoakWord, isVeteran: boolean) => void;
}

/** The processes of a soak: who works on what, and who was killed. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #trouble: Trouble;
  readonly #all = new Set<Worker>();
  /** Who has yet to leave a session. */
  readonly #leaving = new Map<string, { readonly of: Set<Worker>; readonly done: () => void }>();
  #started = 0;
  kills = 0;
  /** When the last one was killed, on `performance.now()`. */
  lastKill = 0;

  constructor(options: WorkersOptions, trouble: Trouble) {
    this.#options = options;
    this.#trouble = trouble;
  }

  async start(isVeteran: boolean): Promise<void> {
    const { orders, seed, twin, url } = this.#options;
    const n = ++this.#started;
    const args = [url, `w${n}`, String(seed * 1_000 + n), String(loops)];
    const child = startChild(script, twin === undefined ? args : [...args, twin]);
    await child.next();
    const worker = { child, isVeteran };
    this.#all.add(worker);
    for (const order of orders()) child.say(order);
    void this.#listen(worker);
  }

  async #listen(worker: Worker): Promise<void> {
    for await (const word of worker.child.messages<SoakWord>()) {
      if (word.did === 'leave') this.#left(word.id, worker);
      else this.#options.hear(word, worker.isVeteran);
    }
    this.#all.delete(worker);
    for (const id of [...this.#leaving.keys()]) this.#left(id, worker);
    const { errors, signal } = await worker.child.ended;
    if (signal !== 'SIGKILL') this.#trouble.say(`a process ended by itself: ${errors}`);
  }

  tell(order: SoakOrder): void {
    for (const { child } of this.#all) child.say(order);
  }

  /** Resolves when no process is at a session any more. */
  async drain(id: string): Promise<void> {
    const of = new Set(this.#all);
    if (of.size === 0) return;
    await new Promise<void>((done) => {
      this.#leaving.set(id, { of, done });
      this.tell({ order: 'drop', id });
    });
  }

  #left(id: string, worker: Worker): void {
    const leaving = this.#leaving.get(id);
    leaving?.of.delete(worker);
    if (leaving === undefined || leaving.of.size > 0) return;
    this.#leaving.delete(id);
    leaving.done();
  }

  /** `kill -9` to one, in whose place another one comes. */
  async killOne(): Promise<void> {
    for (const { child, isVeteran } of [...this.#all]) {
      if (isVeteran) continue;
      child.kill();
      await child.ended;
      this.kills += 1;
      this.lastKill = performance.now();
    }
    await this.start(false);
  }

  end(): void {
    for (const { child } of this.#all) child.kill();
  }
}
