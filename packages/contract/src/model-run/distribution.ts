import { type CommandKind, commandKinds } from './command.ts';

/** How often a kind of command succeeded, and how often it was refused with which code. */
export interface CommandCount {
  readonly succeeded: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** What happened in a run, by kind of command. */
export class Distribution {
  readonly #succeeded = new Map<CommandKind, number>();
  readonly #refused = new Map<CommandKind, Map<string, number>>();
  #runs = 0;
  #commands = 0;
  #longest = 0;

  /** Notes one run and how many commands it had. */
  ran(commands: number): void {
    this.#runs++;
    this.#commands += commands;
    this.#longest = Math.max(this.#longest, commands);
  }

  succeeded(kind: CommandKind): void {
    this.#succeeded.set(kind, (this.#succeeded.get(kind) ?? 0) + 1);
  }

  refused(kind: CommandKind, code: string): void {
    const counts = this.#refused.get(kind) ?? new Map<string, number>();
    counts.set(code, (counts.get(code) ?? 0) + 1);
    this.#refused.set(kind, counts);
  }

  /** The counts of every kind of command, also of those that never came. */
  counts(): Readonly<Record<CommandKind, CommandCount>> {
    const entries = commandKinds.map((kind) => [kind, this.#of(kind)]);
    return Object.fromEntries(entries) as Record<CommandKind, CommandCount>;
  }

  #of(kind: CommandKind): CommandCount {
    return {
      succeeded: this.#succeeded.get(kind) ?? 0,
      refused: Object.fromEntries(this.#refused.get(kind) ?? []),
    };
  }

  /** A line for each kind of command. */
  toString(): string {
    const lines = Object.entries(this.counts()).map(([kind, { refused, succeeded }]) => {
      const codes = Object.entries(refused)
        .sort(([, a], [, b]) => b - a)
        .map(([code, n]) => `${code} ×${n}`);
      const total = Object.values(refused).reduce((sum, n) => sum + n, 0);
      const counts = `${String(succeeded).padStart(7)}${String(total).padStart(9)}`;
      return `${kind.padEnd(17)}${counts}  ${codes.join(', ')}`;
    });
    const mean = Math.round(this.#commands / Math.max(1, this.#runs));
    const title = `${this.#runs} runs, ${this.#commands} commands (mean ${mean}, longest ${this.#longest})`;
    return [title, `${'command'.padEnd(17)}   done  refused`, ...lines].join('\n');
  }
}
