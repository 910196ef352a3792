/** One number that a group measured, and what it had to reach. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `×` for a ratio; else what is counted. */
  readonly unit: string;
  /** Absent for a number that only explains another one. */
  readonly goal?: Goal;
  /** The raw numbers behind it, and how it was measured. */
  readonly detail: string;
}

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

/** A row of related figures that are measured together. */
export interface Group {
  readonly name: string;
  /** What is measured, for people. */
  readonly about: string;
  /** The durability class: what an acknowledged turn survives. */
  readonly durability: string;
  measure(options: MeasureOptions): Promise<readonly Figure[]>;
}

export interface MeasureOptions {
  /** An empty directory that is removed afterwards. */
  readonly directory: string;
  /** Fewer and shorter rounds: to see that it runs, not to quote. */
  readonly quick: boolean;
}

/** Whether a figure reached its goal; null if it has none. */
export function reached({ goal, value }: Figure): boolean | null {
  if (goal === undefined) return null;
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast;
}

export function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

/** A number with as many digits as it deserves. */
export function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
