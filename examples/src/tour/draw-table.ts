import type { Look } from './screen.ts';
import { oneLine, pad, widthOf } from './text.ts';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** The fewest columns of the terminal to which it may shrink; left out, it keeps its width. */
  readonly min?: number;
  /** On a narrow terminal, columns with the highest number are left out first; without one, never. */
  readonly leaveOut?: number;
}

const gap = 2;

/**
 * A table with a rule below its head and, if there is a foot, one above it. Where the terminal is too narrow, text
 * is cut first, then columns are left out.
 */
export function drawTable(
  table: {
    readonly columns: readonly Column[];
    readonly rows: readonly (readonly string[])[];
    readonly foot?: readonly string[] | undefined;
  },
  { paint, width }: Look,
): string[] {
  const safe = [...table.rows, ...(table.foot ? [table.foot] : [])].map((row) => row.map(oneLine));
  const { indexes, widths } = layOut(table.columns, safe, width);
  const draw = (cells: readonly string[]): string =>
    indexes
      .map((i, at) => pad(cells[i] ?? '', widths[at] as number, table.columns[i]?.align))
      .join(' '.repeat(gap))
      .trimEnd();
  const rule = paint('dim', '─'.repeat(sum(widths) + gap * (widths.length - 1)));
  const head = paint('bold', draw(table.columns.map((column) => column.title)));
  const lines = safe.map(draw);
  const foot = table.foot ? [rule, paint('bold', lines.at(-1) as string)] : [];
  return [head, rule, ...lines.slice(0, table.rows.length), ...foot];
}

function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): { readonly indexes: readonly number[]; readonly widths: readonly number[] } {
  let indexes = columns.map((_, i) => i);
  for (;;) {
    const widths = indexes.map((i) =>
      Math.max(widthOf(columns[i]?.title ?? ''), ...rows.map((row) => widthOf(row[i] ?? ''))),
    );
    const room = width - gap * (widths.length - 1);
    const mins = indexes.map((i, at) => columns[i]?.min ?? (widths[at] as number));
    while (sum(widths) > room) {
      const at = widest(widths, mins);
      if (at === null) break;
      widths[at] = (widths[at] as number) - 1;
    }
    const drop = indexes
      .filter((i) => columns[i]?.leaveOut !== undefined)
      .sort((a, b) => (columns[b]?.leaveOut ?? 0) - (columns[a]?.leaveOut ?? 0))[0];
    if (sum(widths) <= room || drop === undefined) return { indexes, widths };
    indexes = indexes.filter((i) => i !== drop);
  }
}

/** The widest column that may still shrink. */
function widest(widths: readonly number[], mins: readonly number[]): number | null {
  let found: number | null = null;
  for (const [at, width] of widths.entries()) {
    if (width > (mins[at] as number) && width > (found === null ? 0 : (widths[found] as number))) {
      found = at;
    }
  }
  return found;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
