import { SessionInputError, SessionLimitError } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { limits } from '../session/limits.ts';

/** Thrown into a try whose answer is no longer wanted. */
export class Interrupted extends Error {
  readonly why: 'cancelled' | 'lost';

  constructor(why: 'cancelled' | 'lost') {
    super(`the run was ${why}`);
    this.why = why;
  }
}

/** One try of something that may fail, be too late, or no longer be wanted. */
export class Attempt {
  readonly #controller = new AbortController();
  readonly #broken: Promise<never>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #break: (error: unknown) => void = () => {};

  constructor(timeoutMs: number, what: string) {
    this.#broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.#broken.catch(() => {});
    this.#timer = setTimeout(() => {
      this.abort(new Error(`${what} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Breaks it off: whoever works for it is told by the signal, and is not waited for. */
  abort(reason: unknown): void {
    this.#break(reason);
    this.#controller.abort(reason);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** Waits for a value, or for the break. */
  wait<T>(value: T | Promise<T>): Promise<T> {
    return Promise.race([value, this.#broken]);
  }

  /**
   * An answer that comes at once, later, or piece by piece; of the latter the texts are told as they come.
   *
   * @returns what the agent answered, not yet checked
   * @throws SessionLimitError once a stream has more than a turn can hold
   */
  async *answer(work: () => unknown): AsyncGenerator<string, unknown, undefined> {
    const given = await this.wait(work());
    if (!isAsyncIterable(given)) return given;
    const pieces = given[Symbol.asyncIterator]();
    let text = '';
    let reply: Record<string, unknown> = {};
    let whole = false;
    try {
      for (;;) {
        const { done, value } = await this.wait(pieces.next());
        if (done === true) {
          whole = true;
          break;
        }
        if (typeof value === 'string') {
          text += value;
          checkLength(text.length);
          yield value;
        } else if (isPlainObject(value)) {
          reply = { ...reply, ...value };
        } else {
          throw new SessionInputError(
            'a piece of the answer',
            `expected a text or an object, got ${kindOf(value)}`,
          );
        }
      }
    } finally {
      // Not waited for: a stream that hangs would hang here too.
      if (!whole) Promise.resolve(pieces.return?.()).catch(() => {});
    }
    // Whole turns stand for the text that was told piece by piece.
    return text === '' || 'turns' in reply ? reply : { content: text, ...reply };
  }
}

function checkLength(length: number): void {
  if (length <= limits.turnBytes) return;
  throw new SessionLimitError('a streamed answer', 'turnBytes', length, limits.turnBytes, 'bytes');
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
  );
}

/** Pauses, unless the run is interrupted meanwhile. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
