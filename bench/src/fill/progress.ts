/** Where progress is shown: a terminal, or what stands for one. */
export interface ProgressTarget {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly target: ProgressTarget;
  /** What is counted, like `turns`. */
  readonly unit: string;
  readonly total: number;
  /** Milliseconds, as `performance.now()` counts them. */
  readonly now?: () => number;
}

/** Milliseconds between two looks of a terminal, and between two lines elsewhere. */
const terminalMs = 100;
const lineMs = 10_000;
const width = 30;

/** Tells how far a long work has come: a bar that moves on a terminal, else a line now and then. */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #start: number;
  #told: number;
  #done = 0;
  #before = 0;

  constructor({ now = () => performance.now(), ...options }: ProgressOptions) {
    this.#options = { ...options, now };
    this.#start = now();
    this.#told = this.#start;
  }

  /** Counts what was there already: it took no time. */
  skip(count: number): void {
    this.#before += count;
    this.add(count);
  }

  add(count: number): void {
    this.#done += count;
    const { now, target } = this.#options;
    const time = now();
    if (time - this.#told < (target.isTTY === true ? terminalMs : lineMs)) return;
    this.#told = time;
    this.#tell();
  }

  /** The last word: as far as it came. */
  end(): void {
    this.#tell();
    if (this.#options.target.isTTY === true) this.#options.target.write('\n');
  }

  #tell(): void {
    const { now, target, total, unit } = this.#options;
    const seconds = (now() - this.#start) / 1_000;
    const rate = seconds > 0 ? (this.#done - this.#before) / seconds : 0;
    const left = total - this.#done;
    const words = [`${whole(this.#done)} of ${whole(total)} ${unit}`];
    if (rate > 0) words.push(`${whole(rate)} a second`);
    if (rate > 0 && left > 0) words.push(`${lastsFor(left / rate)} left`);
    if (left <= 0) words.push(`${lastsFor(seconds)} in all`);
    const text = words.join(', ');
    if (target.isTTY !== true) {
      target.write(`${text}\n`);
      return;
    }
    const filled = total === 0 ? width : Math.floor((this.#done / total) * width);
    // Back to the beginning of the line, and what was longer before is wiped out.
    target.write(`\r[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${text}\u001b[K`);
  }
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

function lastsFor(seconds: number): string {
  const rounded = Math.ceil(seconds);
  return rounded < 60 ? `${rounded} s` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}
