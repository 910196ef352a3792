import { SessionCorruptDataError } from '../errors.ts';
import type { OrderedRows } from './ordered-engine.ts';

export type Part = string | number;

/** One kind of rows, and how their keys are made. */
export interface Table<Row> {
  key(...parts: readonly Part[]): string;
  /** Never there: it ties the type to the table. */
  readonly row?: Row;
}

export interface Span {
  /** The parts of keys from which on, and before which, to read; what all of them begin with included. */
  readonly from?: readonly Part[] | undefined;
  readonly to?: readonly Part[] | undefined;
  readonly backwards?: boolean | undefined;
}

/** A row that leads to another one. Of two with the same key the rows are the same. */
export interface IndexRow<Row = unknown> {
  readonly table: Table<Row>;
  readonly parts: readonly Part[];
  readonly row: Row;
}

/** A key whose order is that of its parts. No part has a control character in it. */
export function keyOf(...parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'number' ? numberText(part) : part)).join('\n');
}

/** A whole number from 0 on. How many digits it has comes first, in base 36: so 10 comes after 9. */
function numberText(n: number): string {
  const digits = String(n);
  return `${digits.length.toString(36)}${digits}`;
}

/** Rows of JSON in tables. */
export class Tables {
  readonly #rows: OrderedRows;

  constructor(rows: OrderedRows) {
    this.#rows = rows;
  }

  get<Row>(table: Table<Row>, ...parts: readonly Part[]): Row | undefined {
    const key = table.key(...parts);
    const text = this.#rows.get(key);
    return text === undefined ? undefined : readRow<Row>(key, text);
  }

  put<Row>(table: Table<Row>, row: Row, ...parts: readonly Part[]): void {
    this.#rows.set(table.key(...parts), JSON.stringify(row));
  }

  drop(table: Table<unknown>, ...parts: readonly Part[]): void {
    this.#rows.delete(table.key(...parts));
  }

  /** Puts the rows that lead to something in place of those that led to what it was before. */
  reindex(before: readonly IndexRow[], after: readonly IndexRow[]): void {
    const keys = (rows: readonly IndexRow[]): ReadonlySet<string> =>
      new Set(rows.map(({ parts, table }) => table.key(...parts)));
    const [old, fresh] = [keys(before), keys(after)];
    for (const key of old) if (!fresh.has(key)) this.#rows.delete(key);
    for (const { parts, row, table } of after) {
      if (!old.has(table.key(...parts))) this.put(table, row, ...parts);
    }
  }

  /** The rows whose keys begin with these parts, in order. */
  *each<Row>(
    table: Table<Row>,
    begin: readonly Part[],
    { backwards, from, to }: Span = {},
  ): Generator<Row, void> {
    const first = from === undefined ? `${table.key(...begin)}\n` : table.key(...from);
    // The character after the line break: all that goes on after it comes before this.
    const end = to === undefined ? `${table.key(...begin)}\v` : table.key(...to);
    for (const [key, text] of this.#rows.scan(first, end, backwards)) yield readRow<Row>(key, text);
  }
}

function readRow<Row>(key: string, text: string): Row {
  try {
    return JSON.parse(text) as Row;
  } catch (cause) {
    const place = `row '${key.replaceAll('\n', '/')}'`;
    throw new SessionCorruptDataError(place, 'what stands there is no JSON', { cause });
  }
}
