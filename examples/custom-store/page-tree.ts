import type { OrderedRows } from '@lexigram/ai-session/store';

/** Some rows, or the pages below with the lowest key of each. Never changed: who writes makes another page. */
export interface Page {
  /** 0 for rows, one more for each step up. */
  readonly level: number;
  readonly keys: readonly string[];
  /** What stands in the rows; or names of pages, and pages that were made just now and have no name yet. */
  readonly values: readonly (string | Page)[];
}

/** A page longer than this is cut in two. One row, however long, is never cut. */
const longest = 4_096;

/**
 * A B+ tree whose pages are never changed. A write makes new pages from the row up to the root and leaves the old
 * ones alone, so that whoever has an old root still reads what was there, and to undo is to put it back.
 */
export class PageTree implements OrderedRows {
  /** A page, the name of one, or null for no rows at all. */
  root: string | Page | null;
  readonly #load: (name: string) => Page;

  constructor(root: string | Page | null, load: (name: string) => Page) {
    this.root = root;
    this.#load = load;
  }

  #page(page: string | Page): Page {
    return typeof page === 'string' ? this.#load(page) : page;
  }

  get(key: string): string | undefined {
    for (const [, value] of this.scan(key, `${key}\0`)) return value;
    return undefined;
  }

  set(key: string, value: string): void {
    const root = this.root === null ? { level: 0, keys: [], values: [] } : this.#page(this.root);
    const parts = this.#put(root, key, value);
    this.root = parts.length === 1 ? (parts[0] ?? null) : above(root.level, parts);
  }

  #put(page: Page, key: string, value: string): readonly Page[] {
    const at = rank(page.keys, key);
    if (page.level === 0) {
      return cut(splice(page, at, page.keys[at] === key ? 1 : 0, [[key, value]]));
    }
    const child = childAt(page, key);
    const parts = this.#put(this.#page(page.values[child] as string | Page), key, value);
    return cut(splice(page, child, 1, parts.map(withLowestKey)));
  }

  delete(key: string): void {
    if (this.root === null) return;
    const root = this.#page(this.root);
    const left = this.#drop(root, key);
    if (left === root) return;
    const only = left !== null && left.level > 0 && left.keys.length === 1;
    this.root = only ? (left.values[0] ?? null) : left;
  }

  /** The page without a row: null if nothing is left of it, the page itself if it has no such row. */
  #drop(page: Page, key: string): Page | null {
    const at = page.level === 0 ? rank(page.keys, key) : childAt(page, key);
    let instead: readonly Page[] = [];
    if (page.level === 0) {
      if (page.keys[at] !== key) return page;
    } else {
      const child = this.#page(page.values[at] as string | Page);
      const left = this.#drop(child, key);
      if (left === child) return page;
      if (left !== null) instead = [left];
    }
    const next = splice(page, at, 1, instead.map(withLowestKey));
    return next.keys.length === 0 ? null : next;
  }

  *scan(from: string, to: string, backwards = false): Iterable<readonly [string, string]> {
    if (this.root !== null) yield* this.#scan(this.#page(this.root), from, to, backwards);
  }

  *#scan(
    { keys, level, values }: Page,
    from: string,
    to: string,
    backwards: boolean,
  ): Iterable<readonly [string, string]> {
    const first = level === 0 ? rank(keys, from) : childAt({ keys }, from);
    const end = rank(keys, to);
    for (let i = 0; i < end - first; i++) {
      const at = backwards ? end - 1 - i : first + i;
      const value = values[at] as string | Page;
      if (level === 0) yield [keys[at] as string, value as string];
      else yield* this.#scan(this.#page(value), from, to, backwards);
    }
  }
}

/** How many of the keys come before this one. */
function rank(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Which of the pages below has this key, if any does. */
function childAt({ keys }: Pick<Page, 'keys'>, key: string): number {
  const at = rank(keys, key);
  return keys[at] === key ? at : Math.max(0, at - 1);
}

type Entry = readonly [key: string, value: string | Page];

function withLowestKey(page: Page): Entry {
  return [page.keys[0] as string, page];
}

function splice(page: Page, at: number, count: number, entries: readonly Entry[]): Page {
  return {
    level: page.level,
    keys: page.keys.toSpliced(at, count, ...entries.map(([key]) => key)),
    values: page.values.toSpliced(at, count, ...entries.map(([, value]) => value)),
  };
}

function above(level: number, pages: readonly Page[]): Page {
  const entries = pages.map(withLowestKey);
  return splice({ level: level + 1, keys: [], values: [] }, 0, 0, entries);
}

/** The page in as many as it needs. */
function cut({ keys, level, values }: Page): readonly Page[] {
  const lengths = keys.map((key, at) => key.length + lengthOf(values[at]));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  if (whole <= longest || keys.length < 2) return [{ level, keys, values }];
  let at = 0;
  for (let sum = 0; at < keys.length - 1 && (at === 0 || sum < whole / 2); at++) {
    sum += lengths[at] as number;
  }
  return [
    ...cut({ level, keys: keys.slice(0, at), values: values.slice(0, at) }),
    ...cut({ level, keys: keys.slice(at), values: values.slice(at) }),
  ];
}

/** A page that has no name yet will have one of some twenty characters. */
function lengthOf(value: string | Page | undefined): number {
  return typeof value === 'string' ? value.length : 20;
}
