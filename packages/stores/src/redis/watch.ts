import type { Wake } from '@lexigram/ai-session/store';
import type { Bell } from './bell.ts';

/** Milliseconds between two looks at whether others committed, where no bell is heard, and where one is. */
const pollMs = { deaf: 300, hearing: 900 };

/** Tells who waits for changes: of this process's commits at once, of others' when a bell rings or the log has grown. */
export class Watch {
  readonly #last: () => Promise<string>;
  readonly #bell: Bell;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #seen: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #telling = false;

  /** @param last where the log ends now */
  constructor(last: () => Promise<string>, bell: Bell) {
    this.#last = last;
    this.#bell = bell;
  }

  add(wake: (wake: Wake) => void): () => void {
    const watcher = (told: Wake): void => wake(told);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#schedule();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#rest();
    };
  }

  #rest(): void {
    this.#watchers.clear();
    clearTimeout(this.#timer);
    this.#seen = null;
    void this.#bell.quiet();
  }

  async close(): Promise<void> {
    this.#rest();
    await this.#bell.close();
  }

  /** After a commit of this process. */
  committed(): void {
    this.#bell.ring();
    if (this.#watchers.size === 0 || this.#telling) return;
    this.#telling = true;
    setImmediate(() => {
      this.#telling = false;
      this.#tell();
    });
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher({ from: null, sessions: null });
  }

  #schedule(): void {
    if (this.#watchers.size === 0) return;
    // One that could not be had is asked for again.
    void this.#bell.listen(() => this.#tell());
    const pause = this.#bell.isListening ? pollMs.hearing : pollMs.deaf;
    this.#timer = setTimeout(() => void this.#look(), pause);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const last = await this.#last();
      if (this.#seen !== null && last !== this.#seen) this.#tell();
      // The first look cannot tell what came before it.
      if (this.#seen === null) this.#tell();
      this.#seen = last;
    } catch {
      // A server that does not answer now is asked again.
    }
    this.#schedule();
  }
}
