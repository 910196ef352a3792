import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import { pause } from '../pause.ts';

/** What is wrong. Once something is, nothing is waited for any more. */
export class Trouble {
  readonly faults: string[] = [];

  get isThere(): boolean {
    return this.faults.length > 0;
  }

  say(...faults: readonly string[]): void {
    this.faults.push(...faults);
  }

  /** What a part of the soak itself failed with. */
  failed(where: string, error: unknown): void {
    if (error instanceof GivenUp) return;
    this.say(`${where}: ${error instanceof Error ? error.stack : error}`);
  }

  /** @throws where it makes no sense to go on */
  check(): void {
    if (this.isThere) throw new GivenUp();
  }

  /** Calls that must go well in the end, whatever befalls the server. */
  async surely<T>(call: () => Promise<T>): Promise<T> {
    const until = performance.now() + 60_000;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const isPassing = error instanceof SessionStoreUnavailableError;
        if (!isPassing || performance.now() > until) throw error;
      }
      this.check();
      await pause(100);
    }
  }
}

class GivenUp extends Error {}
