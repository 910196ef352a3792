import type { Wake } from '@lexigram/ai-session/store';

/** Milliseconds between two looks at whether others committed. */
const pollMs = 300;

/** Tells who waits for changes: of this process's commits at once, of others' when the log has grown. */
export class Watch {
  readonly #last: () => Promise<string>;
  readonly #watchers = new Set<(wake: Wake) => void>();
  #seen: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #telling = false;

  /** @param last where the log ends now */
  constructor(last: () => Promise<string>) {
    this.#last = last;
  }

  add(wake: (wake: Wake) => void): () => void {
    const watcher = (told: Wake): void => wake(told);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#schedule();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    this.#watchers.clear();
    clearTimeout(this.#timer);
    this.#seen = null;
  }

  /** After a commit of this process. */
  committed(): void {
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
    this.#timer = setTimeout(() => void this.#look(), pollMs);
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
