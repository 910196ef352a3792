import type { KeyPage } from './port.ts';
import type { RecordRow } from './rows.ts';

interface Rows {
  readonly rows: Map<string, RecordRow>;
  /** The keys in order, or null until somebody asks. */
  keys: string[] | null;
}

/** The records of one session in memory: by kind, in order of their keys. */
export class MemoryRecords {
  readonly #kinds = new Map<string, Rows>();

  get(kind: string, key: string): RecordRow | undefined {
    return this.#kinds.get(kind)?.rows.get(key);
  }

  labelled(kind: string, label: string): RecordRow | undefined {
    return this.#kinds
      .get(kind)
      ?.rows.values()
      .find((record) => record.label === label);
  }

  get isEmpty(): boolean {
    return this.#kinds.values().every(({ rows }) => rows.size === 0);
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.rows.size ?? 0;
  }

  put(record: RecordRow): void {
    let rows = this.#kinds.get(record.kind);
    if (rows === undefined) {
      rows = { rows: new Map(), keys: null };
      this.#kinds.set(record.kind, rows);
    }
    if (!rows.rows.has(record.key) && rows.keys !== null) {
      const last = rows.keys.at(-1);
      if (last === undefined || last < record.key) rows.keys.push(record.key);
      else rows.keys = null;
    }
    rows.rows.set(record.key, record);
  }

  delete(kind: string, key: string): void {
    const rows = this.#kinds.get(kind);
    if (!rows?.rows.delete(key) || rows.keys === null) return;
    if (rows.keys[0] === key) rows.keys.shift();
    else rows.keys = null;
  }

  keepOnly(kinds: readonly string[]): void {
    for (const kind of this.#kinds.keys()) if (!kinds.includes(kind)) this.#kinds.delete(kind);
  }

  page(kind: string, { after, limit, order }: KeyPage): readonly RecordRow[] {
    const rows = this.#kinds.get(kind);
    if (rows === undefined) return [];
    const sorted = keysOf(rows);
    const keys = order === 'desc' ? sorted.toReversed() : sorted;
    const start =
      after === undefined
        ? 0
        : keys.findIndex((key) => (order === 'desc' ? key < after : key > after));
    if (start === -1) return [];
    return keys.slice(start, start + limit).map((key) => rows.rows.get(key) as RecordRow);
  }

  /** The first one in order of keys for which the test holds. */
  first(kind: string, test: (record: RecordRow) => boolean): RecordRow | undefined {
    const rows = this.#kinds.get(kind);
    if (rows === undefined) return undefined;
    const key = keysOf(rows).find((k) => test(rows.rows.get(k) as RecordRow));
    return key === undefined ? undefined : rows.rows.get(key);
  }

  due(now: number): RecordRow[] {
    return [...this.#kinds.values()]
      .flatMap(({ rows }) => [...rows.values()])
      .filter((record) => record.dueAt !== null && record.dueAt <= now);
  }

  dropOperations(now: number, limit: number): number {
    const old = this.due(now)
      .filter((record) => record.kind === 'operation')
      .slice(0, limit);
    for (const record of old) this.delete(record.kind, record.key);
    return old.length;
  }
}

/** Keys are ASCII, so this is the order in which SQL engines compare their bytes. */
function keysOf(rows: Rows): readonly string[] {
  rows.keys ??= [...rows.rows.keys()].sort();
  return rows.keys;
}
